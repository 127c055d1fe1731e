package config

import (
	"strconv"
	"strings"
)

// settleShadow reads the share of a shadow, which has no share of the traffic.
func (r *routeEntry) settleShadow() {
	if !r.shadow.given() {
		return
	}
	if r.weight.given() {
		r.shadow.problemf("shadow and weight are mutually exclusive: a shadow gets copies of requests and no traffic of its own")
		return
	}
	r.shadow.share(&r.Shadow)
	r.Weight, r.ShadowAt = 0, r.shadow.place()
}

// share reads a percentage as a part of 1.
func (v value) share(into *float64) {
	const what = "a percentage above 0% and up to 100%, such as 5%"
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	text, percent := strings.CutSuffix(x.text, "%")
	text = strings.TrimSpace(text)
	f, err := strconv.ParseFloat(text, 64)
	if !percent || err != nil || !decimalText.MatchString(text) || f <= 0 || f > 100 {
		v.problemf("must be %s, got %s", what, v.got(x.text))
		return
	}
	*into = f / 100
}
