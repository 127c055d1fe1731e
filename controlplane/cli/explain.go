package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/wire"
)

func explainCommand() *urfave.Command {
	return &urfave.Command{
		Name: "explain", Usage: "show which endpoints a request would be sent to, and why others are skipped", ArgsUsage: "[MODEL]",
		Description: help("A node plans the request without sending it. The request is --request, or a short one for MODEL.\n"+
			"MEASURED is what the model's policy goes by. Where chance decides, the order is one random draw.",
			"gatewayctl explain demo",
			"gatewayctl explain --request '{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"provider\":{\"only\":[\"demo\"]}}' -o json"),
		Flags: []urfave.Flag{
			textFlag("request", "request `BODY` as JSON, @FILE, or - for standard input", ""),
			choiceFlag("path", "`API` below /v1", "chat/completions", "chat/completions", "completions", "embeddings", "messages"),
			textFlag("key", "`ID` of the API key that sends it", "an administrator"),
			textFlag("node", "`NODE` to ask", "any"),
			textFlag("session", "`ID` of its session", ""),
		},
		Action: run(explain), BashComplete: completer(suggestModel),
	}
}

func explain(ctx context.Context, in *invocation) error {
	body, err := in.explained()
	if err != nil {
		return err
	}
	client, err := in.client()
	if err != nil {
		return err
	}
	q := adminapi.Question{Request: body, Path: valueOf(in, "path", ""), Key: in.text("key"), Node: in.text("node")}
	if session := in.text("session"); session != "" {
		q.Headers = map[string]string{"X-Session-ID": session}
	}
	e, err := client.Explain(ctx, q)
	if err != nil {
		return err
	}
	return in.show(e, func(w io.Writer) error { return writeExplanation(w, in.look(), e) })
}

// explained is the request in question.
func (in *invocation) explained() (json.RawMessage, error) {
	text := in.text("request")
	switch {
	case text == "" && in.first() == "":
		return nil, usagef("explain: MODEL or --request is required")
	case text != "" && in.first() != "":
		return nil, usagef("explain: MODEL and --request are mutually exclusive")
	case text == "":
		content := any([]map[string]string{{"role": "user", "content": "Hi"}})
		body := map[string]any{"model": in.first(), "messages": content, "max_tokens": 16}
		switch in.text("path") {
		case "completions":
			body = map[string]any{"model": in.first(), "prompt": "Hi"}
		case "embeddings":
			body = map[string]any{"model": in.first(), "input": "Hi"}
		}
		return json.Marshal(body)
	case text == "-" || strings.HasPrefix(text, "@"):
		content, err := in.readAll(strings.TrimPrefix(text, "@"))
		if err != nil {
			return nil, fmt.Errorf("--request: %w", err)
		}
		text = string(content)
	}
	if !json.Valid([]byte(text)) {
		return nil, usagef("--request is not valid JSON")
	}
	return json.RawMessage(text), nil
}

// hedgeText says when a second endpoint is asked.
func hedgeText(h wire.HedgeState) string {
	if h.Never != "" {
		return "not this request: " + printable(h.Never)
	}
	budget := decimal(h.Budget*100) + " % of the requests at most"
	if h.AfterMS == 0 {
		return "not yet, this node has seen too few requests to know how long they take; " + budget
	}
	return "a second endpoint is asked after " + decimal(h.AfterMS) + " ms without content; " + budget
}

// triedEndpoint is a line of the table.
type triedEndpoint struct {
	order int
	wire.Candidate
}

func writeExplanation(w io.Writer, l look, e wire.Explanation) error {
	release := natural(e.Release)
	if e.Canary {
		release += " (canary)"
	}
	_, _ = fmt.Fprintf(w, "node %s, release %s\n", printable(e.Node), release)
	if e.Status != 0 {
		_, _ = fmt.Fprintf(w, "refused: %d %s\n", e.Status, printable(e.Message))
	}
	for _, c := range e.Choices {
		kept := ""
		if c.KeptBy != "" {
			kept = ", keeps to one endpoint by its " + c.KeptBy
		}
		_, _ = fmt.Fprintf(w, "%s: policy %s, affinity %s%s\n", printable(c.Model), printable(c.Policy), printable(c.Affinity), printable(kept))
	}
	if len(e.Dropped) > 0 {
		_, _ = fmt.Fprintf(w, "dropped: %s\n", printable(strings.Join(e.Dropped, ", ")))
	}
	for _, q := range e.Queues {
		_, _ = fmt.Fprintf(w, "queue of %s: %d of %d requests wait, each up to %s\n", printable(q.Model), q.Waiting, q.Size, time.Duration(q.WaitMS)*time.Millisecond)
	}
	for _, h := range e.Hedges {
		_, _ = fmt.Fprintf(w, "hedging of %s: %s\n", printable(h.Model), hedgeText(h))
	}
	var rows []triedEndpoint
	for i, c := range e.Tried {
		rows = append(rows, triedEndpoint{i + 1, c})
	}
	for _, c := range e.Left {
		rows = append(rows, triedEndpoint{0, c})
	}
	if len(rows) == 0 {
		return nil
	}
	return writeTable(w, l, rows, []column[triedEndpoint]{
		{name: "order", text: func(t triedEndpoint) string {
			if t.order == 0 {
				return ""
			}
			return integer(t.order)
		}, number: true},
		{name: "model", text: func(t triedEndpoint) string { return t.Model }},
		{name: "endpoint", text: func(t triedEndpoint) string { return t.Endpoint }, tint: func(t triedEndpoint) tint {
			if t.order == 0 {
				return doubt
			}
			return good
		}},
		{name: "provider", text: func(t triedEndpoint) string { return t.Provider }},
		{name: "weight", text: func(t triedEndpoint) string { return decimal(t.Weight) }, number: true},
		{name: "measured", text: func(t triedEndpoint) string { return t.Measured }},
		{name: "reason", text: func(t triedEndpoint) string { return t.Reason }},
	})
}
