package catalog

import (
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// routing renders GET routing, which is public, with the models that everybody may see: shares in percent without decimals, never a base URL.
func routing(release uint64, models []*Model) []byte {
	out := strconv.AppendUint([]byte(`{"release":`), release, 10)
	out = append(out, `,"routes":{`...)
	for i, m := range models {
		if i > 0 {
			out = append(out, ',')
		}
		total := 0.0
		for _, e := range m.Endpoints {
			total += e.Weight
		}
		out = append(rawjson.AppendString(out, m.ID), ':', '[')
		for j, e := range m.Endpoints {
			if j > 0 {
				out = append(out, ',')
			}
			out = rawjson.AppendString(append(out, `{"endpoint":`...), e.ID)
			out = rawjson.AppendString(append(out, `,"provider":`...), e.Provider)
			out = rawjson.AppendString(append(out, `,"weight":`...), percent(e.Weight, total))
			out = append(out, '}')
		}
		out = append(out, ']')
	}
	return append(out, "}}"...)
}

// percent renders a share without decimals, "<1%" for less.
func percent(weight, total float64) string {
	if total <= 0 {
		return "0%"
	}
	p := 100 * weight / total
	if p > 0 && p < 0.5 {
		return "<1%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "%"
}
