package route_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func TestPreferencesAreRead(t *testing.T) {
	const none = math.MaxInt64
	f := func(raw string, want route.Preferences) {
		t.Helper()
		got, err := route.ParsePreferences([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		} else if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s gives %+v, want %+v", raw, *got, want)
		}
	}
	f(`{}`, route.Preferences{})
	f(`{"order":null,"only":null,"ignore":null,"allow_fallbacks":null,"require_parameters":null,"data_collection":null,"zdr":null,"quantizations":null,"sort":null,"max_price":null,"preferred_min_throughput":null,"preferred_max_latency":null,"enforce_distillable_text":null}`, route.Preferences{})
	f(`{"order":["Amazon Bedrock","vLLM"],"allow_fallbacks":false}`, route.Preferences{Order: []string{"amazon-bedrock", "vllm"}, NoFallbacks: true})
	f(`{"allow_fallbacks":true,"require_parameters":true,"zdr":true,"data_collection":"deny"}`, route.Preferences{RequireParameters: true, ZDR: true, NoCollection: true})
	f(`{"data_collection":"allow","enforce_distillable_text":true}`, route.Preferences{Distillable: true})
	f(`{"only":["a"],"ignore":["b"],"quantizations":["fp8","unknown"]}`, route.Preferences{Only: []string{"a"}, Ignore: []string{"b"}, Quantizations: []string{"fp8", "unknown"}})
	f(`{"sort":"price"}`, route.Preferences{Sort: route.ByPrice})
	f(`{"sort":{"by":"throughput","partition":"none"}}`, route.Preferences{Sort: route.ByThroughput, Across: true})
	f(`{"sort":{"by":"latency","partition":"model"}}`, route.Preferences{Sort: route.ByLatency})
	f(`{"sort":{"by":null,"partition":null}}`, route.Preferences{})
	f(`{"sort":"exacto"}`, route.Preferences{Sort: route.ByQuality})
	f(`{"max_price":{"prompt":1,"completion":"2.5"}}`, route.Preferences{MaxPrice: &route.MaxPrice{Prompt: 1_000_000, Completion: 2_500_000, Request: none, Image: none}})
	f(`{"max_price":{"prompt":"0.000001","request":"0.01","image":0,"audio":"1","completion":null}}`, route.Preferences{MaxPrice: &route.MaxPrice{Prompt: 1, Completion: none, Request: 10_000_000_000, Image: 0}})
	f(`{"max_price":{"prompt":1.1,"completion":1e300}}`, route.Preferences{MaxPrice: &route.MaxPrice{Prompt: 1_100_000, Completion: none, Request: none, Image: none}})
	f(`{"preferred_min_throughput":50,"preferred_max_latency":{"p50":1,"p90":3.5,"p75":null}}`, route.Preferences{MinThroughput: route.Cutoffs{P50: 50}, MaxLatency: route.Cutoffs{P50: 1, P90: 3.5}})
}

func TestWrongPreferencesAreNamed(t *testing.T) {
	f := func(raw, field string) {
		t.Helper()
		_, err := route.ParsePreferences([]byte(raw))
		if err == nil || fault.KindOf(err) != fault.InvalidRequest || !strings.HasPrefix(fault.From(err).Message, field+":") {
			t.Errorf("%s gives %v, want a complaint about %s", raw, err, field)
		}
	}
	f(`{"oder":["a"]}`, "provider.oder")
	f(`{"oder":null}`, "provider.oder")
	f(`{"order":"a"}`, "provider.order")
	f(`{"only":[1]}`, "provider.only")
	f(`{"ignore":{}}`, "provider.ignore")
	f(`{"allow_fallbacks":"no"}`, "provider.allow_fallbacks")
	f(`{"require_parameters":1}`, "provider.require_parameters")
	f(`{"data_collection":"maybe"}`, "provider.data_collection")
	f(`{"data_collection":true}`, "provider.data_collection")
	f(`{"zdr":"true"}`, "provider.zdr")
	f(`{"enforce_distillable_text":0}`, "provider.enforce_distillable_text")
	f(`{"quantizations":["int5"]}`, "provider.quantizations")
	f(`{"quantizations":"int4"}`, "provider.quantizations")
	f(`{"sort":"cheapest"}`, "provider.sort")
	f(`{"sort":3}`, "provider.sort")
	f(`{"sort":{"by":"speed"}}`, "provider.sort")
	f(`{"sort":{"partition":"all"}}`, "provider.sort.partition")
	f(`{"sort":{"order":"price"}}`, "provider.sort.order")
	f(`{"max_price":5}`, "provider.max_price")
	f(`{"max_price":{"prompt":"cheap"}}`, "provider.max_price.prompt")
	f(`{"max_price":{"prompt":"inf"}}`, "provider.max_price.prompt")
	f(`{"max_price":{"completion":-1}}`, "provider.max_price.completion")
	f(`{"max_price":{"total":1}}`, "provider.max_price.total")
	f(`{"preferred_min_throughput":"fast"}`, "provider.preferred_min_throughput")
	f(`{"preferred_max_latency":{"p50":"1"}}`, "provider.preferred_max_latency.p50")
	f(`{"preferred_max_latency":{"p95":1}}`, "provider.preferred_max_latency.p95")
	f(`{"preferred_max_latency":-1}`, "provider.preferred_max_latency")
}

func FuzzPreferences(f *testing.F) {
	f.Add([]byte(`{"order":["a"],"sort":{"by":"price"},"max_price":{"prompt":"1"},"preferred_max_latency":{"p50":1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if rawjson.Valid(raw) != nil || len(raw) == 0 || raw[0] != '{' {
			return // the request's parser lets nothing else through
		}
		if _, err := route.ParsePreferences(raw); err != nil && fault.KindOf(err) != fault.InvalidRequest {
			t.Errorf("%s: %v", raw, err)
		}
	})
}
