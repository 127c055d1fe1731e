package server

import (
	"context"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// billingTime bounds the sums of a period, which are of rows: some seconds for a
// million of them.
const billingTime = 5 * time.Minute

func (s *Server) billing(ctx context.Context, in adminapi.BillingQuery) ([]adminapi.BillingRow, error) {
	var q requestlog.BillingQuery
	var err error
	if q.Zone, err = time.LoadLocation(in.Zone); err != nil || in.Zone == "Local" {
		return nil, badRequest("parameter zone must be an IANA time zone such as Asia/Kolkata, got %q", in.Zone)
	}
	if in.Since == "" {
		return nil, badRequest("parameter since is required: a time such as 2030-01-31T00:00:00Z, a date or a duration back such as 7d")
	}
	if q.Since, err = moments("since", in.Since, q.Zone); err != nil {
		return nil, err
	}
	if q.Until, err = moments("until", in.Until, q.Zone); err != nil {
		return nil, err
	}
	found, err := within(ctx, s, billingTime, func(ctx context.Context) ([]requestlog.BillingRow, error) { return s.o.LogStore.Billing(ctx, q) })
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.BillingRow, len(found))
	for i, r := range found {
		out[i] = adminapi.BillingRow(r)
	}
	return out, nil
}

func (s *Server) findBilled(ctx context.Context, in adminapi.BilledQuery) ([]adminapi.BilledRequest, error) {
	found, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.BilledRequest, error) { return s.o.LogStore.Billed(ctx, in.IDs) })
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.BilledRequest, len(found))
	for i, r := range found {
		out[i] = adminapi.BilledRequest{
			UpstreamID: r.UpstreamID, Time: r.Time, Provider: r.Provider, UpstreamModel: r.UpstreamModel, Model: r.Model, UsageSource: r.UsageSource,
			PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, CostUSD: r.CostUSD,
		}
	}
	return out, nil
}
