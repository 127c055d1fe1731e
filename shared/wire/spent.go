package wire

import "strconv"

// Spent is the answer to the question what a key has cost, in pico-dollars
// (1e-12 USD): a node's since it started, the control plane's of all time. Days,
// weeks (from Monday) and months are UTC's.
type Spent struct {
	Total int64 `json:"total"`
	Day   int64 `json:"day"`
	Week  int64 `json:"week"`
	Month int64 `json:"month"`
}

// Encode returns the JSON of s.
func (s Spent) Encode() []byte {
	out := strconv.AppendInt([]byte(`{"total":`), s.Total, 10)
	out = strconv.AppendInt(append(out, `,"day":`...), s.Day, 10)
	out = strconv.AppendInt(append(out, `,"week":`...), s.Week, 10)
	return append(strconv.AppendInt(append(out, `,"month":`...), s.Month, 10), '}')
}
