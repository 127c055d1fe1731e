package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// shadows compares a model's shadows with the requests that they are copies of.
func (s *Server) shadows(ctx context.Context, in adminapi.ShadowQuery) (out adminapi.ShadowReport, err error) {
	release, err := s.current()
	if err != nil {
		return out, err
	}
	m, err := publish.FindModel(&release.Snapshot, in.Model)
	if err != nil {
		return out, problemf(http.StatusNotFound, "%s", err)
	}
	q := requestlog.ShadowQuery{Model: m.ID, Endpoint: in.Endpoint}
	if in.Endpoint != "" && !strings.HasPrefix(in.Endpoint, m.ID+":") {
		q.Endpoint = m.ID + ":" + in.Endpoint
	}
	if q.Since, err = moments("since", in.Since, time.UTC); err != nil {
		return out, err
	}
	if q.Until, err = moments("until", in.Until, time.UTC); err != nil {
		return out, err
	}
	found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.ShadowComparison, error) { return s.o.LogStore.Shadows(ctx, q) })
	if err != nil {
		return out, err
	}
	out = adminapi.ShadowReport{Model: m.ID, Shadows: []adminapi.ShadowComparison{}}
	for i := range found {
		out.Shadows = append(out.Shadows, comparison(&found[i]))
	}
	addShares(&out, m, q.Endpoint)
	return out, nil
}

// addShares says which of the endpoints are shadows, and adds those that have
// answered nothing.
func addShares(r *adminapi.ShadowReport, m *wire.Model, only string) {
	for i := range m.Endpoints {
		e := &m.Endpoints[i]
		if e.Shadow == 0 || only != "" && only != e.ID {
			continue
		}
		at := slices.IndexFunc(r.Shadows, func(c adminapi.ShadowComparison) bool { return c.Endpoint == e.ID })
		if at < 0 {
			at = len(r.Shadows)
			r.Shadows = append(r.Shadows, comparison(&requestlog.ShadowComparison{Endpoint: e.ID}))
		}
		r.Shadows[at].Share = compile.Share(e.Shadow)
	}
	slices.SortFunc(r.Shadows, func(a, b adminapi.ShadowComparison) int { return cmp.Compare(a.Endpoint, b.Endpoint) })
}

func comparison(c *requestlog.ShadowComparison) adminapi.ShadowComparison {
	return adminapi.ShadowComparison{
		Endpoint: c.Endpoint, Pairs: c.Pairs, Unmatched: c.Unmatched, Main: sideOf(&c.Main), Shadow: sideOf(&c.Shadow), SameFinish: c.SameFinish, SameToolCalls: c.SameToolCalls,
	}
}

func sideOf(s *requestlog.ShadowSide) adminapi.ShadowSide {
	counts := func(m map[string]int64) map[string]int64 {
		if m == nil {
			return map[string]int64{}
		}
		return m
	}
	return adminapi.ShadowSide{
		Errors: s.Errors, Statuses: counts(s.Statuses), Endpoints: counts(s.Endpoints), P50LatencyMS: s.P50LatencyMS, P95LatencyMS: s.P95LatencyMS, P50TTFTMS: s.P50TTFTMS, P95TTFTMS: s.P95TTFTMS,
		PromptTokens: s.PromptTokens, CompletionTokens: s.CompletionTokens, ReasoningTokens: s.ReasoningTokens, CacheReadTokens: s.CacheReadTokens,
		CostUSD: cmp.Or(s.CostUSD, "0"), FinishReasons: counts(s.FinishReasons), ToolCalls: s.ToolCalls, JSONAsked: s.JSONAsked, JSONValid: s.JSONValid,
	}
}
