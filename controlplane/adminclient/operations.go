package adminclient

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/wire"
)

// Status asks the daemon for its state.
func (c *Client) Status(ctx context.Context) (adminapi.Status, error) {
	return Call(ctx, c, adminapi.GetStatus(), adminapi.None{})
}

// Nodes lists the nodes.
func (c *Client) Nodes(ctx context.Context) ([]adminapi.Node, error) {
	return Call(ctx, c, adminapi.ListNodes(), adminapi.None{})
}

// Node returns one node.
func (c *Client) Node(ctx context.Context, id string) (adminapi.Node, error) {
	return Call(ctx, c, adminapi.GetNode(), adminapi.ByID{ID: id})
}

// Models lists the models.
func (c *Client) Models(ctx context.Context) ([]adminapi.Model, error) {
	return Call(ctx, c, adminapi.ListModels(), adminapi.None{})
}

// Routing returns every route.
func (c *Client) Routing(ctx context.Context) (adminapi.Routing, error) {
	return Call(ctx, c, adminapi.GetRouting(), adminapi.None{})
}

// Endpoints lists endpoints with their state.
func (c *Client) Endpoints(ctx context.Context, in adminapi.EndpointQuery) ([]adminapi.Endpoint, error) {
	return Call(ctx, c, adminapi.ListEndpoints(), in)
}

// DisableEndpoints takes endpoints out of service; they keep their weights.
func (c *Client) DisableEndpoints(ctx context.Context, in adminapi.EndpointSwitch) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.DisableEndpoints(), in)
}

// EnableEndpoints puts endpoints back into service.
func (c *Client) EnableEndpoints(ctx context.Context, in adminapi.EndpointSwitch) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.EnableEndpoints(), in)
}

// Explain asks a node which endpoints a request would be sent to.
func (c *Client) Explain(ctx context.Context, in adminapi.Question) (wire.Explanation, error) {
	return Call(ctx, c, adminapi.Explain(), in)
}

// Weights lists the weights of one model, or of all for "".
func (c *Client) Weights(ctx context.Context, model string) ([]adminapi.Weight, error) {
	return Call(ctx, c, adminapi.ListWeights(), adminapi.OfModel{Model: model})
}

// SetWeights overrides the configured weights.
func (c *Client) SetWeights(ctx context.Context, in adminapi.WeightChange) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.SetWeights(), in)
}

// ResetWeights returns to the configured weights.
func (c *Client) ResetWeights(ctx context.Context, in adminapi.WeightReset) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.ResetWeights(), in)
}

// Policies lists the policies of one model, or of all for "".
func (c *Client) Policies(ctx context.Context, model string) ([]adminapi.Policy, error) {
	return Call(ctx, c, adminapi.ListPolicies(), adminapi.OfModel{Model: model})
}

// SetPolicy overrides the configured policy.
func (c *Client) SetPolicy(ctx context.Context, in adminapi.PolicyChange) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.SetPolicy(), in)
}

// ResetPolicy returns to the configured policy.
func (c *Client) ResetPolicy(ctx context.Context, in adminapi.PolicyReset) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.ResetPolicy(), in)
}

// Apply compiles the files and publishes the result. Broken files are an
// *Error with Problems and change nothing.
func (c *Client) Apply(ctx context.Context, in adminapi.Application) (adminapi.ApplyResult, error) {
	return Call(ctx, c, adminapi.ApplyFiles(), in)
}

// Releases lists releases.
func (c *Client) Releases(ctx context.Context, page adminapi.Page) ([]adminapi.ReleaseInfo, error) {
	return Call(ctx, c, adminapi.ListReleases(), page)
}

// Release returns one release as nodes get it: the JSON of a wire.Release,
// complete even if the daemon is newer than this program.
func (c *Client) Release(ctx context.Context, number uint64) (json.RawMessage, error) {
	raw := adminapi.Operation[adminapi.ByNumber, json.RawMessage]{Description: adminapi.GetRelease().Description}
	return Call(ctx, c, raw, adminapi.ByNumber{Number: number})
}

// Diff compares two releases; from 0 means the one before to.
func (c *Client) Diff(ctx context.Context, from, to uint64) (adminapi.Comparison, error) {
	return Call(ctx, c, adminapi.DiffRelease(), adminapi.DiffQuery{ByNumber: adminapi.ByNumber{Number: to}, From: from})
}

// Rollback makes a new release with the content of an old one.
func (c *Client) Rollback(ctx context.Context, number uint64, change adminapi.Change) (adminapi.Rollout, error) {
	return Call(ctx, c, adminapi.RollBack(), adminapi.Rollback{ByNumber: adminapi.ByNumber{Number: number}, Change: change})
}

// Keys lists all keys, revoked ones too, the newest first.
func (c *Client) Keys(ctx context.Context) ([]adminapi.Key, error) {
	all := []adminapi.Key{}
	var next adminapi.KeyPage
	for {
		page, err := Call(ctx, c, adminapi.ListKeys(), next)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < adminapi.KeysPage {
			return all, nil
		}
		next.After = page[len(page)-1].ID
	}
}

// Key returns one key.
func (c *Client) Key(ctx context.Context, id string) (adminapi.Key, error) {
	return Call(ctx, c, adminapi.GetKey(), adminapi.ByID{ID: id})
}

// CreateKey makes a key.
func (c *Client) CreateKey(ctx context.Context, spec adminapi.KeySpec, change adminapi.KeyChange) (adminapi.NewKey, error) {
	return Call(ctx, c, adminapi.CreateKey(), adminapi.KeyCreation{KeySpec: spec, KeyChange: change})
}

// UpdateKey changes a key; its text stays.
func (c *Client) UpdateKey(ctx context.Context, id string, update adminapi.KeyUpdate, change adminapi.KeyChange) (adminapi.UpdatedKey, error) {
	return Call(ctx, c, adminapi.ChangeKey(), adminapi.KeyPatch{ByID: adminapi.ByID{ID: id}, KeyUpdate: update, KeyChange: change})
}

// RevokeKey revokes a key; repeating it changes nothing.
func (c *Client) RevokeKey(ctx context.Context, id string, change adminapi.KeyChange) (adminapi.RevokedKey, error) {
	return Call(ctx, c, adminapi.RevokeKey(), adminapi.KeyRevocation{ByID: adminapi.ByID{ID: id}, KeyChange: change})
}

// RotateKey makes a key like another one, which ends after overlap, a span
// such as 24h or 7d; "" is the daemon's default of 24h, 0s at once.
func (c *Client) RotateKey(ctx context.Context, id, overlap string, change adminapi.KeyChange) (adminapi.RotatedKey, error) {
	return Call(ctx, c, adminapi.RotateKey(), adminapi.KeyRotation{ByID: adminapi.ByID{ID: id}, KeyChange: change, Overlap: overlap})
}

// ImportKeys stores up to 5,000 keys, all or none.
func (c *Client) ImportKeys(ctx context.Context, list []adminapi.ImportedKey, change adminapi.KeyChange) (adminapi.ImportResult, error) {
	return Call(ctx, c, adminapi.ImportKeys(), adminapi.KeyImport{KeyChange: change, Keys: list})
}

// Stats returns hourly figures, newest hour first.
func (c *Client) Stats(ctx context.Context, q adminapi.StatsQuery) ([]adminapi.StatsRow, error) {
	out, err := c.stats(ctx, q)
	if out.Stats == nil {
		out.Stats = []adminapi.StatsRow{}
	}
	return out.Stats, err
}

// StatsOf returns the figures of the period by q.By, which is not hour.
func (c *Client) StatsOf(ctx context.Context, q adminapi.StatsQuery) ([]adminapi.GroupStats, error) {
	out, err := c.stats(ctx, q)
	if out.Groups == nil {
		out.Groups = []adminapi.GroupStats{}
	}
	return out.Groups, err
}

func (c *Client) stats(ctx context.Context, q adminapi.StatsQuery) (adminapi.Stats, error) {
	out, err := Call(ctx, c, adminapi.GetStats(), q)
	if err == nil && out.Error != "" {
		err = errors.New(out.Error)
	}
	return out, err
}

// Usage sums up a period.
func (c *Client) Usage(ctx context.Context, q adminapi.UsageQuery) ([]adminapi.UsageRow, error) {
	return Call(ctx, c, adminapi.GetUsage(), q)
}

// Shadows compares a model's shadows with what clients got.
func (c *Client) Shadows(ctx context.Context, q adminapi.ShadowQuery) (adminapi.ShadowReport, error) {
	return Call(ctx, c, adminapi.GetShadows(), q)
}

// Logs returns rows of the log, newest first, or oldest first with After.
func (c *Client) Logs(ctx context.Context, q adminapi.LogQuery) ([]adminapi.LogRow, error) {
	return Call(ctx, c, adminapi.ListLogs(), q)
}

// Content returns what was asked and answered, where nodes store it.
func (c *Client) Content(ctx context.Context, id string) (adminapi.Content, error) {
	return Call(ctx, c, adminapi.GetContent(), adminapi.ContentQuery{ByID: adminapi.ByID{ID: id}})
}

// Audit lists the audit log.
func (c *Client) Audit(ctx context.Context, q adminapi.AuditQuery) ([]adminapi.AuditEntry, error) {
	return Call(ctx, c, adminapi.ListAudit(), q)
}

// Ledger looks for gaps since a time or a span back, "" for a day.
func (c *Client) Ledger(ctx context.Context, since string) (adminapi.Ledger, error) {
	return Call(ctx, c, adminapi.GetLedger(), adminapi.LedgerQuery{Since: since})
}

// DeadLetters lists those with a number above after, the oldest first.
func (c *Client) DeadLetters(ctx context.Context, after uint64, limit int) ([]adminapi.DeadLetter, error) {
	return Call(ctx, c, adminapi.ListDeadLetters(), adminapi.LetterPage{Limit: limit, After: after})
}

// ReplayDeadLetters gives letters to the stores again; no ids are all.
func (c *Client) ReplayDeadLetters(ctx context.Context, ids []uint64, reason string) (adminapi.LettersDone, error) {
	return do(ctx, c, adminapi.ReplayDeadLetters(), letters(ids, reason), letterTime)
}

// DropDeadLetters removes letters for good; no ids are all.
func (c *Client) DropDeadLetters(ctx context.Context, ids []uint64, reason string) (adminapi.LettersDone, error) {
	return do(ctx, c, adminapi.DropDeadLetters(), letters(ids, reason), letterTime)
}

// Billing sums up a period as providers bill it.
func (c *Client) Billing(ctx context.Context, q adminapi.BillingQuery) ([]adminapi.BillingRow, error) {
	return do(ctx, c, adminapi.GetBilling(), q, billingTime)
}

// FindBilled looks up to 1,000 requests up by the providers' ids.
func (c *Client) FindBilled(ctx context.Context, ids []string) ([]adminapi.BilledRequest, error) {
	return do(ctx, c, adminapi.FindBilled(), adminapi.BilledQuery{IDs: ids}, 0)
}

// billingTime is what the daemon may take to sum up the rows of a long period.
const billingTime = 5 * time.Minute

// Prices lists the prices of one model, or of all for "".
func (c *Client) Prices(ctx context.Context, model string) ([]adminapi.Price, error) {
	return do(ctx, c, adminapi.ListPrices(), adminapi.OfModel{Model: model}, 0)
}

// Reprice prices a batch of rows again.
func (c *Client) Reprice(ctx context.Context, in adminapi.Repricing) (adminapi.Repriced, error) {
	return do(ctx, c, adminapi.Reprice(), in, repriceTime)
}

// repriceTime is what the daemon may take for a batch.
const repriceTime = 5 * time.Minute

// letterTime is what the daemon may take for all dead letters.
const letterTime = 30 * time.Second

func letters(ids []uint64, reason string) adminapi.LetterChange {
	return adminapi.LetterChange{Change: adminapi.Change{Reason: reason}, IDs: ids, All: len(ids) == 0}
}
