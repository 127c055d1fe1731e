package requestlog

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// Row is one usage event in the shape of api_logs, checked so far as a
// database would. It is read-only once made.
type Row struct {
	usage  *wire.Usage
	origin Origin
	// second is the time inside the request id, seconds since 1970.
	second               int64
	cost, upstreamCost   optional[int64]
	hedgedCost           optional[int64]
	params, extra        []byte
	temperature, topP    optional[float64]
	maxTokens, seed      optional[int64]
	attempts             []byte
	modelID, providerTag string
	// copied are the cells of a row that comes from another log, by column.
	copied map[string]cell
}

// Origin is where an event came from.
type Origin struct {
	// SpoolEpoch and Seq are its place in the spool of its node; Seq is 0
	// when it is not known.
	SpoolEpoch string
	Seq        uint64
	// Extra is a JSON object with members of the event that this program does
	// not know, or nil.
	Extra []byte
}

type optional[T any] struct {
	value T
	ok    bool
}

// NewRow makes the row of an event, of which it keeps u and the bytes of
// o.Extra. An error means that no store could take the event.
func NewRow(u *wire.Usage, o Origin) (*Row, error) {
	r := &Row{usage: u, origin: o, modelID: u.RequestedModel, providerTag: u.Provider}
	if r.modelID == "" {
		r.modelID = u.Model
	}
	if r.providerTag == "" {
		// the reference's name for requests that reached no provider
		r.providerTag = "router"
	}
	var err error
	if r.second, err = idSecond(u.RequestID); err != nil {
		return nil, err
	}
	if r.cost, err = money(u.CostUSD); err != nil {
		return nil, fmt.Errorf("cost_usd: %w", err)
	}
	if r.upstreamCost, err = money(u.UpstreamCostUSD); err != nil {
		return nil, fmt.Errorf("upstream_cost_usd: %w", err)
	}
	if r.hedgedCost, err = money(u.HedgedCostUSD); err != nil {
		return nil, fmt.Errorf("hedged_cost_usd: %w", err)
	}
	if r.params, err = cleanJSON(u.Params); err != nil {
		return nil, fmt.Errorf("params: %w", err)
	}
	if r.extra, err = cleanJSON(o.Extra); err != nil {
		return nil, fmt.Errorf("unknown fields: %w", err)
	}
	r.attempts = appendAttempts(nil, u.Attempts)
	r.readParams()
	return r, nil
}

// RequestID returns the row's key.
func (r *Row) RequestID() string { return r.usage.RequestID }

// Usage returns the event; it must not be changed.
func (r *Row) Usage() *wire.Usage { return r.usage }

// idSecond returns the time in "gen-<unix seconds>-<random>". The bounds keep
// a broken clock from creating partitions that no one looks at.
func idSecond(id string) (int64, error) {
	const (
		maxLen   = 64
		earliest = 1577836800 // 2020
		latest   = 4102444800 // 2100
	)
	rest, ok := strings.CutPrefix(id, "gen-")
	digits, random, ok2 := strings.Cut(rest, "-")
	if !ok || !ok2 || len(id) > maxLen || !alphanumeric(random) {
		return 0, fmt.Errorf("request_id %.*q is not of the form gen-<unix seconds>-<letters and digits>", maxLen, id)
	}
	second, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || second < earliest || second >= latest || len(digits) != 10 {
		return 0, fmt.Errorf("request_id %q: %q is not a second between 2020 and 2100", id, digits)
	}
	return second, nil
}

func alphanumeric(s string) bool {
	for _, ch := range []byte(s) {
		if (ch < '0' || ch > '9') && (ch|0x20 < 'a' || ch|0x20 > 'z') {
			return false
		}
	}
	return s != ""
}

func (r *Row) timestamp() time.Time { return time.Unix(r.second, 0).UTC() }

func money(s string) (optional[int64], error) {
	if s == "" {
		return optional[int64]{}, nil
	}
	n, err := parsePico(s)
	return optional[int64]{n, err == nil}, err
}

func appendAttempts(dst []byte, list []wire.Attempt) []byte {
	if len(list) == 0 {
		return nil
	}
	dst = append(dst, '[')
	for i, a := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = rawjson.AppendString(append(dst, `{"endpoint":`...), cleanText(a.Endpoint, maxName))
		dst = strconv.AppendInt(append(dst, `,"status":`...), int64(a.Status), 10)
		dst = rawjson.AppendString(append(dst, `,"kind":`...), cleanText(a.Kind, maxName))
		dst = strconv.AppendInt(append(dst, `,"ms":`...), a.MS, 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// readParams copies the parameters that have a column of their own. One that
// is not of the column's type has none; it still stands in params.
func (r *Row) readParams() {
	var c rawjson.Cursor
	c.Reset(r.params)
	if !c.Object() {
		return
	}
	for {
		key, ok := c.Key()
		if !ok {
			return
		}
		raw := c.Raw()
		switch string(key) {
		case "temperature":
			r.temperature.value, r.temperature.ok = rawjson.Float(raw)
		case "top_p":
			r.topP.value, r.topP.ok = rawjson.Float(raw)
		case "max_tokens", "max_completion_tokens":
			if n, ok := rawjson.Int(raw); ok {
				r.maxTokens = optional[int64]{n, true}
			}
		case "seed":
			r.seed.value, r.seed.ok = rawjson.Int(raw)
		}
	}
}
