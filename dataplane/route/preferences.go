package route

import (
	"math"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// Preferences are a request's provider object. The zero value prefers nothing.
type Preferences struct {
	// Order, Only and Ignore are slugs in the form of wire.Slug.
	Order, Only, Ignore []string
	// NoFallbacks is allow_fallbacks false.
	NoFallbacks bool
	// RequireParameters leaves out endpoints that do not take every parameter.
	RequireParameters bool
	// NoCollection is data_collection deny.
	NoCollection, ZDR, Distillable bool
	Quantizations                  []string
	Sort                           Sort
	// Across sorts the endpoints of all models together (partition none).
	Across bool
	// MaxPrice bounds what an endpoint may cost, nil if it may be anything.
	MaxPrice *MaxPrice
	// MinThroughput in tokens a second and MaxLatency in seconds only put
	// endpoints that miss them behind the others.
	MinThroughput, MaxLatency Cutoffs
}

// MaxPrice are prices in pico-dollars a token, a request and an image;
// math.MaxInt64 is no limit.
type MaxPrice struct{ Prompt, Completion, Request, Image int64 }

// Sort is what endpoints are ordered by.
type Sort uint8

// The sorts; NotSorted is the zero value: by weight.
const (
	NotSorted Sort = iota
	ByPrice
	ByThroughput
	ByLatency
	ByQuality
)

// SortOf returns the sort of that name, and false for none of them.
func SortOf(name string) (Sort, bool) {
	switch name {
	case "price":
		return ByPrice, true
	case "throughput":
		return ByThroughput, true
	case "latency":
		return ByLatency, true
	case "exacto":
		return ByQuality, true
	}
	return NotSorted, false
}

// String is the sort's name in a request.
func (s Sort) String() string {
	switch s {
	case ByPrice:
		return "price"
	case ByThroughput:
		return "throughput"
	case ByLatency:
		return "latency"
	case ByQuality:
		return "exacto"
	case NotSorted:
	}
	return ""
}

// ParsePreferences reads a provider object. The error is an InvalidRequest
// fault that names the member; members that are null are absent, and members
// that do not exist are errors: a preference must not be lost to a typing
// mistake.
func ParsePreferences(raw []byte) (*Preferences, error) {
	p := &Preferences{}
	var c rawjson.Cursor
	c.Reset(raw)
	c.Object()
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		if val := c.Raw(); !rawjson.IsNull(val) {
			if err := p.member(string(key), val); err != nil {
				return nil, err
			}
		} else if !isMember(string(key)) {
			return nil, unknownMember(string(key))
		}
	}
	return p, nil
}

func isMember(key string) bool {
	switch key {
	case "order", "only", "ignore", "allow_fallbacks", "require_parameters", "data_collection", "zdr", "enforce_distillable_text",
		"quantizations", "sort", "max_price", "preferred_min_throughput", "preferred_max_latency":
		return true
	}
	return false
}

func unknownMember(key string) error {
	return fault.New(fault.InvalidRequest, "provider.%s: unknown field", clip(key))
}

func clip(s string) string { return s[:min(len(s), 80)] }

func (p *Preferences) member(key string, val []byte) (err error) {
	switch key {
	case "order":
		p.Order, err = slugList("provider.order", val)
	case "only":
		p.Only, err = slugList("provider.only", val)
	case "ignore":
		p.Ignore, err = slugList("provider.ignore", val)
	case "allow_fallbacks":
		p.NoFallbacks, err = flag("provider.allow_fallbacks", val)
		p.NoFallbacks = !p.NoFallbacks
	case "require_parameters":
		p.RequireParameters, err = flag("provider.require_parameters", val)
	case "data_collection":
		p.NoCollection, err = dataCollection(val)
	case "zdr":
		p.ZDR, err = flag("provider.zdr", val)
	case "enforce_distillable_text":
		p.Distillable, err = flag("provider.enforce_distillable_text", val)
	case "quantizations":
		p.Quantizations, err = quantizations(val)
	case "sort":
		err = p.sort(val)
	case "max_price":
		p.MaxPrice, err = maxPrice(val)
	case "preferred_min_throughput":
		p.MinThroughput, err = cutoffs("provider.preferred_min_throughput", val)
	case "preferred_max_latency":
		p.MaxLatency, err = cutoffs("provider.preferred_max_latency", val)
	default:
		err = unknownMember(key)
	}
	return err
}

func wrong(name, want string) error {
	return fault.New(fault.InvalidRequest, "%s: must be %s", name, want)
}

func flag(name string, val []byte) (bool, error) {
	if val[0] != rawjson.True && val[0] != rawjson.False {
		return false, wrong(name, "true or false")
	}
	return val[0] == rawjson.True, nil
}

func stringList(name string, val []byte) ([]string, error) {
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Array() {
		return nil, wrong(name, "an array of strings")
	}
	list := []string{} // an empty list is not an absent one
	for c.Elem() {
		s := c.Str()
		if s == nil {
			return nil, wrong(name, "an array of strings")
		}
		list = append(list, rawjson.Text(s))
	}
	return list, nil
}

func slugList(name string, val []byte) ([]string, error) {
	list, err := stringList(name, val)
	for i := range list {
		list[i] = wire.Slug(list[i])
	}
	return list, err
}

func dataCollection(val []byte) (deny bool, err error) {
	switch string(val) {
	case `"deny"`:
		return true, nil
	case `"allow"`:
		return false, nil
	}
	return false, wrong("provider.data_collection", "allow or deny")
}

func quantizations(val []byte) ([]string, error) {
	list, err := stringList("provider.quantizations", val)
	if err != nil {
		return nil, err
	}
	for _, q := range list {
		switch q {
		case "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown":
		default:
			return nil, wrong("provider.quantizations", "of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32 and unknown, got "+strconv.Quote(clip(q)))
		}
	}
	return list, nil
}

// sort reads a name, or {by, partition}.
func (p *Preferences) sort(val []byte) error {
	by := val
	if val[0] == rawjson.Object {
		by = nil
		var c rawjson.Cursor
		c.Reset(val)
		c.Object()
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			v := c.Raw()
			switch string(key) {
			case "by":
				by = v
			case "partition":
				if !rawjson.IsNull(v) && string(v) != `"model"` && string(v) != `"none"` {
					return wrong("provider.sort.partition", "model or none")
				}
				p.Across = string(v) == `"none"`
			default:
				return fault.New(fault.InvalidRequest, "provider.sort.%s: unknown field", clip(string(key)))
			}
		}
	}
	if rawjson.IsNull(by) {
		return nil
	}
	var ok bool
	if p.Sort, ok = SortOf(rawjson.Text(by)); !ok || by[0] != rawjson.String {
		return wrong("provider.sort", "price, throughput, latency or exacto, or an object with by and partition")
	}
	return nil
}

// maxPrice reads prices in USD, per million tokens where it is tokens: as
// numbers, as the documentation has them, or as strings, as the SDK sends them.
func maxPrice(val []byte) (*MaxPrice, error) {
	const none = math.MaxInt64
	m := &MaxPrice{none, none, none, none}
	var c rawjson.Cursor
	c.Reset(val)
	if !c.Object() {
		return nil, wrong("provider.max_price", "an object of prices")
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		to, scale, ignored := &m.Prompt, 1e6, int64(0)
		switch string(key) {
		case "prompt":
		case "completion":
			to = &m.Completion
		case "request":
			to, scale = &m.Request, 1e12
		case "image":
			to, scale = &m.Image, 1e12
		case "audio":
			to = &ignored // no endpoint has a price for it
		default:
			return nil, fault.New(fault.InvalidRequest, "provider.max_price.%s: unknown field", clip(string(key)))
		}
		v := c.Raw()
		if rawjson.IsNull(v) {
			continue
		}
		usd, ok := number(v)
		if !ok || usd < 0 {
			return nil, wrong("provider.max_price."+string(key), "a price in USD, a number or a string with one, and not negative")
		}
		*to = pico(usd, scale)
	}
	return m, nil
}

// pico rounds down to pico-dollars, except for what is an integer but for the
// float's last bit.
func pico(usd, scale float64) int64 {
	if v := math.Floor(usd*scale + 1e-3); v < math.MaxInt64 {
		return int64(v)
	}
	return math.MaxInt64
}

// number reads a JSON number, or a string that holds a decimal.
func number(val []byte) (float64, bool) {
	if val[0] != rawjson.String {
		return rawjson.Float(val)
	}
	text := strings.TrimSpace(rawjson.Text(val))
	if strings.Trim(text, "0123456789.+-eE") != "" {
		return 0, false // hexadecimal, inf and nan
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}
