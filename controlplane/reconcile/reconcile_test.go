package reconcile_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/reconcile"
)

const (
	openRouter = "generation_id,created_at,cost_total,cost_web_search,cost_cache,cost_file_processing,byok_usage_inference,tokens_prompt,tokens_completion,tokens_reasoning," +
		"tokens_cached,model_permaslug,provider_name,variant,cancelled,streamed,user,finish_reason_raw,finish_reason_normalized,generation_time_ms,time_to_first_token_ms,app_name,api_key_name\n"
	anthropicUsage = "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m," +
		"usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed\n"
	anthropicCost = "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type,inference_geo,speed\n"
	openAIUsage   = "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens\n"
	openAICost    = "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,line_item,project_id,organization_id\n"
)

// lines writes an export as text.
func lines(e *reconcile.Export) string {
	var out []string
	for key, s := range e.Lines {
		out = append(out, fmt.Sprintf("%s %s %d %d+%d %s", key.Day, key.Model, s.Requests, s.Prompt, s.Completion, reconcile.Decimal(&s.Cost)))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// TestForms reads what each provider exports.
func TestForms(t *testing.T) {
	f := func(text, provider, want string) {
		t.Helper()
		var e reconcile.Export
		if err := e.Read("x.csv", strings.NewReader(text), time.UTC); err != nil {
			t.Error(err)
		} else if got := lines(&e); got != want || e.Provider != provider {
			t.Errorf("%s:\n%s\nwant %s:\n%s", e.Provider, got, provider, want)
		}
	}
	f(openRouter+
		"gen-1,2030-05-01 23:59:59.123,0.0012,0,0,0,0,1000,20,0,0,openai/gpt-5-mini,OpenAI,standard,false,true,u,stop,stop,900,80,app,key\n"+
		"gen-2,2030-05-02 00:00:00.001,1E-05,0,0,0,0.25,10,2,0,0,openai/gpt-5-mini,OpenAI,standard,true,true,u,,,900,80,app,key\n", "OpenRouter",
		"2030-05-01 openai/gpt-5-mini 1 1000+20 0.0012\n2030-05-02 openai/gpt-5-mini 1 10+2 0.25001")
	f("\ufeff"+anthropicUsage+"2030-05-01,claude-opus-4-5-20251101,k,Default,standard,≤ 200k,100,20,3,4000,55,0,global,\r\n"+
		"2030-05-01,claude-opus-4-5-20251101,k2,Default,standard,≤ 200k,\"1,000\",0,0,0,5,0,global,\r\n", "Anthropic",
		"2030-05-01 claude-opus-4-5-20251101 0 5123+60 0")
	f(anthropicCost+"2030-05-01,Claude Opus 4.5,Default,k,message,≤ 200k,input_no_cache,0.05,0.05,token,,\n2030-05-01,Claude Opus 4.5,Default,k,message,≤ 200k,output,$0.021,0.05,token,,\n"+
		"2030-05-01,,Default,k,,,,0.03,0.03,web_search,,\n", "Anthropic",
		"2030-05-01 (web_search) 0 0+0 0.03\n2030-05-01 Claude Opus 4.5 0 0+0 0.071")
	f(openAIUsage+"1903737600,1903824000,2030-04-30T00:00:00+00:00,2030-05-01T00:00:00+00:00,,,,,,,,,,\n"+
		"1903824000,1903910400,2030-05-01T00:00:00+00:00,2030-05-02T00:00:00+00:00,p,3,,,gpt-5-2025-08-07,false,default,100,50,10\n", "OpenAI",
		"2030-05-01 gpt-5-2025-08-07 3 100+50 0")
	f(openAICost+"1903824000,1903910400,2030-05-01T00:00:00,2030-05-02T00:00:00,0.003835980000000000000000000000,usd,\"gpt-5-2025-08-07, input\",p,o\n"+
		"1903824000,1903910400,2030-05-01T00:00:00,2030-05-02T00:00:00,0.1,USD,\"gpt-5-2025-08-07, output\",p,o\n", "OpenAI",
		"2030-05-01 gpt-5-2025-08-07 0 0+0 0.10383598")
	f(`{"object":"page","data":[{"object":"bucket","start_time":1903824000,"end_time":1903910400,"results":[{"object":"organization.usage.completions.result","input_tokens":100,`+
		`"output_tokens":50,"num_model_requests":3,"model":"gpt-5-2025-08-07","project_id":null,"batch":null}]},{"object":"bucket","start_time":1903910400,"results":[]}],"has_more":false}`,
		"OpenAI", "2030-05-01 gpt-5-2025-08-07 3 100+50 0")
	f(`{"data":[{"start_time":1903824000,"results":[{"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":null}]}]}`,
		"OpenAI", "2030-05-01 (all models) 0 0+0 0.06")
	f(`{"data":[{"date":"2030-05-01 00:00:00","model":"openai/gpt-5-mini","model_permaslug":"openai/gpt-5-mini-2025-08-07","endpoint_id":"e","provider_name":"OpenAI","usage":0.015,`+
		`"byok_usage_inference":0.012,"requests":5,"prompt_tokens":50,"completion_tokens":125,"reasoning_tokens":25}]}`, "OpenRouter", "2030-05-01 openai/gpt-5-mini 5 50+125 0.027")
	f(`{"data":[{"starting_at":"2030-05-01T00:00:00Z","ending_at":"2030-05-02T00:00:00Z","results":[{"uncached_input_tokens":100,"cache_creation":{"ephemeral_1h_input_tokens":7,`+
		`"ephemeral_5m_input_tokens":20},"cache_read_input_tokens":4000,"output_tokens":50,"server_tool_use":{"web_search_requests":2},"api_key_id":null,"model":"claude-opus-4-5-20251101",`+
		`"service_tier":null,"context_window":null}]},{"starting_at":"2030-05-02T00:00:00Z","results":[]}],"has_more":false,"next_page":null}`,
		"Anthropic", "2030-05-01 claude-opus-4-5-20251101 0 4127+50 0")
	f(`{"data":[{"starting_at":"2030-05-01T00:00:00Z","results":[{"currency":"USD","amount":"123.45","model":"claude-opus-4-5","cost_type":"tokens","token_type":"output_tokens"},`+
		`{"currency":"USD","amount":"0.05","model":"claude-opus-4-5","cost_type":"tokens"},{"currency":"USD","amount":"2","model":null,"cost_type":"web_search"},`+
		`{"currency":"USD","amount":"1","model":null,"cost_type":null}]}],"has_more":false}`,
		"Anthropic", "2030-05-01 (all models) 0 0+0 0.01\n2030-05-01 (web_search) 0 0+0 0.02\n2030-05-01 claude-opus-4-5 0 0+0 1.235")
	f("Day,Model,requests,Cost\n2030-05-01,m,2,\"$1,234.5\"\n2030-05-01,m,1,.5\n", "", "2030-05-01 m 3 0+0 1235")
}

// TestBadFiles says what is wrong, and where.
func TestBadFiles(t *testing.T) {
	f := func(text string, words ...string) {
		t.Helper()
		var e reconcile.Export
		err := e.Read("x.csv", strings.NewReader(text), time.UTC)
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%.60q: %v, want %q", text, err, w)
			}
		}
	}
	f("", "x.csv: the file is empty")
	f("\n \n", "x.csv: the file is empty")
	f("date;model;cost\n", "x.csv:1: unknown columns date;model;cost; accepted are OpenRouter activity (generation_id,", "generic (day, model, and requests or")
	f("\nday,model,price\n", "x.csv:2: unknown columns day, model, price")
	f("day,model,cost,Cost\n", `x.csv:1: column "cost" appears twice`)
	f("day,model,cost\n", "x.csv has no lines")
	f("\xff\xfed\x00", "UTF-16")
	const head = "day,model,requests,cost\n"
	f(head+"2030-05-01,m,1\n", "x.csv:2: the line has another number of cells")
	f(head+"2030-05-01,m,1,\"2\n", "x.csv:")
	f(head+"2030-05-01,m,1,1\n01/02/2030,m,1,1\n", `x.csv:3: column day: "01/02/2030" is ambiguous: must be a date such as 2030-01-31`)
	f(head+"soon,m,1,1\n", `x.csv:2: column day: must be a date`)
	f(head+"2030-02-30,m,1,1\n", `x.csv:2: column day`)
	f(head+",m,1,1\n", `x.csv:2: column day`)
	f(head+"2030-05-01,,1,1\n", `x.csv:2: column model: must not be empty`)
	f(head+"2030-05-01,m,-1,1\n", `x.csv:2: column requests: must not be negative, got "-1"`)
	f(head+"2030-05-01,m,1,-0.5\n", `x.csv:2: column cost: must not be negative, got "-0.5"`)
	f(head+"2030-05-01,m,1.5,1\n", `x.csv:2: column requests: must be a whole number`)
	f(head+"2030-05-01,m,9007199254740993,1\n", `x.csv:2: column requests: must be a whole number below 2^53`)
	f(head+"2030-05-01,m,1,\"1,234\"\n", `x.csv:2: column cost: "1,234" is ambiguous: write 1234 or 1.234`)
	f(head+"2030-05-01,m,1,1e999999999\n", `x.csv:2: column cost: must be an amount in USD`)
	f(head+"2030-05-01,m,1,NaN\n", `x.csv:2: column cost: must be an amount in USD`)
	f(openAICost+"1903824000,,2030-05-01T00:00:00,,1,eur,x,p,o\n", `x.csv:2: column amount_currency: must be usd, got "eur"`)
	f(openRouter+strings.Repeat("gen-1,2030-05-01 00:00:00,0,0,0,0,0,1,1,0,0,m,p,,false,true,,,,,,,\n", 2), "x.csv:3: generation_id gen-1 appears twice")
	f(`{"data":[{"start_time":1903824000,"results":[{"tokens":1}]}]}`, "x.csv: page 1: data[0].results[0]: unknown members start_time, tokens; accepted are")
	f(`{"data":[{"start_time":1903824000,"results":[{"amount":{"value":-1,"currency":"usd"}}]}]}`, "data[0].results[0]: member amount_value: must not be negative")
	f(`{"data":[{"start_time":1903824000,"results":[{"amount":{"value":1}}]}],"has_more":false}`, `amount_currency: must be usd, got ""`)
	f(`{"data":[{"start_time":1903824000,"results":[{"amount":{"value":1,"currency":"usd"}}]}],"has_more":true}`, "incomplete")
	const claude = `{"data":[{"starting_at":"2030-05-01T00:00:00Z","results":[`
	f(claude+`{"uncached_input_tokens":1,"output_tokens":1,"model":null}]}]}`, "data[0].results[0]: member model: must not be empty: ask for the report with group_by[]=model")
	f(claude+`{"uncached_input_tokens":1,"output_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":-1},"model":"m"}]}]}`, "member cache_creation_ephemeral_5m_input_tokens: must not be negative")
	f(claude+`{"amount":"1","currency":"EUR","model":"m"}]}]}`, `data[0].results[0]: member currency: must be USD, got "EUR"`)
	f(`{"data":[{"starting_at":"yesterday","results":[{"amount":"1","currency":"USD"}]}]}`, "data[0].results[0]: member starting_at: must be a date")
	f(`{"usage":3}`, "x.csv: page 1: data is missing")
	f(`[1`, "not JSON")
	f(`[1]`, "must be pages")
}

func row(day, upstream, model string, requests, tokens int64, cost string) adminapi.BillingRow {
	return adminapi.BillingRow{
		Day: day, Provider: "OpenRouter", UpstreamModel: upstream, Model: model, UsageSource: "provider", CostSource: "list", Outcome: "complete",
		RequestCount: requests, PromptTokens: tokens, CostUSD: cost, UpstreamCostUSD: "0",
	}
}

// compare reads files and compares them with rows; each line is "day model
// requests-gap token-gap cost-gap: causes".
func compare(t *testing.T, ours []adminapi.BillingRow, billed map[string]reconcile.Billed, files ...string) (string, *reconcile.Report) {
	t.Helper()
	var e reconcile.Export
	for _, text := range files {
		if err := e.Read("x", strings.NewReader(text), time.UTC); err != nil {
			t.Fatal(err)
		}
	}
	r := reconcile.Compare(&e, ours, billed, func(b reconcile.Billed) string { return b.Time.Format(time.DateOnly) }, "2030-05-01", "2030-06-01")
	var out strings.Builder
	show := func(n *int64) string {
		if n == nil {
			return "?"
		}
		return fmt.Sprint(*n)
	}
	for _, r := range append(r.Rows, r.Total) {
		cost := "?"
		if r.Gap.CostUSD != nil {
			cost = *r.Gap.CostUSD
		}
		fmt.Fprintf(&out, "%s %s %s %s %s", r.Day, r.Model, show(r.Gap.Requests), show(r.Gap.PromptTokens), cost)
		for _, c := range r.Causes {
			fmt.Fprintf(&out, "; %s %d %d %s", c.Cause, c.Requests, c.Tokens, c.CostUSD)
		}
		out.WriteString("\n")
	}
	return out.String(), r
}

func TestCompare(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	const head = "day,model,requests,prompt_tokens,cost\n"
	got, r := compare(t, []adminapi.BillingRow{row("2030-05-01", "m", "m", 2, 20, "0.3")}, nil, head+"2030-05-01,m,2,20,0.3\n")
	f(got, "2030-05-01 m 0 0 0\ntotal  0 0 0\n")
	if r.Above(new(big.Rat), false) {
		t.Error("no gap is above 0")
	}
	// a price that differs, a model on one side only, failures
	failed := row("2030-05-01", "m", "m", 4, 0, "0")
	failed.UsageSource, failed.CostSource = "none", ""
	got, r = compare(t, []adminapi.BillingRow{row("2030-05-01", "m", "m", 2, 20, "0.3"), row("2030-05-02", "ours", "o", 1, 7, "0.1"), failed}, nil,
		head+"2030-05-01,m,2,20,0.4\n2030-05-02,theirs,1,9,0.2\n")
	f(got, "2030-05-01 m 0 0 0.1; failed without usage 4 0 0; price 2 20 0.1\n2030-05-02 ours -1 -7 -0.1; model is not in the export 1 7 0.1\n"+
		"2030-05-02 theirs 1 9 0.2; model is not in the log 1 9 0.2\ntotal  0 2 0.2\n")
	if got := *r.GapUSD; got != "0.4" { // gaps of opposite sign do not cancel out
		t.Errorf("the gap is %s", got)
	}
	if r.Above(big.NewRat(4, 10), false) || !r.Above(big.NewRat(39, 100), false) || !r.Above(big.NewRat(66, 100), true) || r.Above(big.NewRat(67, 100), true) {
		t.Error("0.4 of 0.6 USD is the gap")
	}
	// what explains a gap by its source
	cancelled, priceless, byok, told := row("2030-05-01", "m", "m", 1, 5, "0.01"), row("2030-05-01", "m", "m", 1, 6, "0"), row("2030-05-01", "m", "m", 1, 7, "0.02"), row("2030-05-01", "m", "m", 1, 8, "0.03")
	cancelled.UsageSource, cancelled.Outcome, priceless.CostSource, byok.BYOK, told.Told, told.UpstreamCostUSD = "estimated", "client_gone", "unknown", true, true, "0.05"
	got, _ = compare(t, []adminapi.BillingRow{cancelled, priceless, byok, told}, nil, head+"2030-05-01,m,4,30,1\n")
	f(got, "2030-05-01 m 0 4 0.94; BYOK 1 7 0.02; cancelled, estimated 1 5 0.01; price 1 8 0.02; without a price 1 6 0\ntotal  0 4 0.94\n")
	// usage and cost from two files, of which one has display names
	got, _ = compare(t, []adminapi.BillingRow{row("2030-05-01", "claude-haiku-4-5-20251001", "haiku", 2, 130, "0.04")}, nil,
		anthropicUsage+"2030-05-01,claude-haiku-4-5-20251001,k,,,,100,20,0,10,0,0,,\n", anthropicCost+"2030-05-01,Claude Haiku 4.5,,k,,,input,0.05,,token,,\n")
	f(got, "2030-05-01 claude-haiku-4-5-20251001 ? 0 0.01\ntotal  ? 0 0.01\n")
	// costs without models
	got, _ = compare(t, []adminapi.BillingRow{row("2030-05-01", "a", "a", 2, 10, "0.04"), row("2030-05-01", "b", "b", 2, 10, "0.05")}, nil,
		openAICost+"1903824000,,2030-05-01T00:00:00,,0.1,usd,,p,o\n")
	f(got, "2030-05-01 (all models) ? ? 0.01\ntotal  ? ? 0.01\n")
}

// Requests are compared one by one where the export lists them.
func TestCompareRequests(t *testing.T) {
	line := "%s,%s,%s,0,0,0,0,10,0,0,0,anthropic/claude-4-sonnet-20250522,Anthropic,standard,%t,true,,,,,,,\n"
	text := openRouter + fmt.Sprintf(line, "gen-a", "2030-05-01 10:00:00", "0.1", false) + fmt.Sprintf(line, "gen-b", "2030-05-01 11:00:00", "0.2", true)
	billed := map[string]reconcile.Billed{"gen-a": {
		UpstreamID: "gen-a", Time: time.Date(2030, 5, 1, 10, 0, 0, 0, time.UTC), UpstreamModel: "anthropic/claude-sonnet-4", Model: "s", UsageSource: "provider", PromptTokens: 10, CostUSD: "0.1",
	}}
	got, _ := compare(t, []adminapi.BillingRow{row("2030-05-01", "anthropic/claude-sonnet-4", "s", 2, 25, "0.25")}, billed, text)
	if want := "2030-05-01 anthropic/claude-sonnet-4 0 -5 0.05; cancelled by the export 1 0 0; only in the export 1 10 0.2; only in the log 1 15 0.15\ntotal  0 -5 0.05\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Names of one model are one line, those of two are two.
func TestNames(t *testing.T) {
	f := func(ours, theirs string, same bool) {
		t.Helper()
		_, r := compare(t, []adminapi.BillingRow{row("2030-05-01", ours, "x", 1, 1, "0")}, nil, "day,model,requests\n2030-05-01,"+theirs+",1\n")
		if (len(r.Rows) == 1) != same {
			t.Errorf("%s and %s: %d lines", ours, theirs, len(r.Rows))
		}
	}
	f("claude-haiku-4-5", "Claude Haiku 4.5", true)
	f("claude-3-5-haiku-20241022", "Claude Haiku 3.5", true)
	f("gpt-5", "gpt-5-2025-08-07", true)
	f("deepseek/deepseek-r1:free", "deepseek/deepseek-r1:free", true)
	f("claude-opus-4-5", "Claude Opus 4.6", false)
	f("gpt-5", "gpt-5-mini", false)
	f("qwen3-8b", "qwen3-80b", false)
	f("models/upstream", "x", true) // the gateway's name
	_, r := compare(t, []adminapi.BillingRow{row("2030-05-01", "gpt-4o-2024-05-13", "x", 1, 1, "0"), row("2030-05-01", "gpt-4o-2024-08-06", "y", 1, 1, "0")}, nil,
		"day,model,requests\n2030-05-01,gpt-4o-2024-05-13,1\n2030-05-01,gpt-4o-2024-08-06,1\n")
	if len(r.Rows) != 2 {
		t.Errorf("two versions on both sides are %d lines", len(r.Rows))
	}
}

// FuzzRead reads anything without a panic, and never a negative amount.
func FuzzRead(f *testing.F) {
	f.Add(openRouter + "gen-1,2030-05-01 23:59:59.123,0.0012,0,0,0,0,1000,20,0,0,m,p,standard,false,true,u,stop,stop,900,80,app,key\n")
	f.Add(openAICost + "1903824000,1,2030-05-01T00:00:00,,0.1,usd,\"m, input\",p,o\n")
	f.Add(`[{"data":[{"start_time":1903824000,"results":[{"amount":{"value":1e-5,"currency":"usd"},"line_item":"x"}]}]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		var e reconcile.Export
		if e.Read("x", strings.NewReader(text), time.UTC) != nil {
			return
		}
		for key, s := range e.Lines {
			if s.Cost.Sign() < 0 || s.Prompt < 0 || s.Completion < 0 || s.Requests < 0 || key.Day == "" {
				t.Errorf("%+v: %+v", key, s)
			}
		}
		reconcile.Compare(&e, nil, nil, func(reconcile.Billed) string { return "" }, "2000-01-01", "2100-01-01")
	})
}
