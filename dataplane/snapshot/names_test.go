package snapshot_test

import (
	"testing"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestNamesOfModels(t *testing.T) {
	named := func(id string, aliases ...string) wire.Model { return wire.Model{ID: id, Aliases: aliases} }
	b := snapshot.Builder{}
	s, err := b.Build(&wire.Release{Snapshot: wire.Snapshot{Models: []wire.Model{
		named("claude-haiku-4-5"), named("anthropic/claude-sonnet-5", "claude-sonnet-5"), named("big", "gpt-*"), named("bigger", "gpt-6*"), named("claude-opus-5-20260101"),
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, want string) {
		t.Helper()
		got := ""
		if m := s.Model([]byte(name)); m != nil {
			got = m.ID
		}
		if got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
	f("claude-haiku-4-5", "claude-haiku-4-5")
	f("claude-haiku-4-5-20251001", "claude-haiku-4-5")
	f("claude-haiku-4-5@20251001", "claude-haiku-4-5")
	f("claude-haiku-4-5-20251001[1m]", "claude-haiku-4-5")
	f("claude-sonnet-5[1m]", "anthropic/claude-sonnet-5")
	f("anthropic/claude-sonnet-5-20260101", "anthropic/claude-sonnet-5")
	f("claude-opus-5-20260101", "claude-opus-5-20260101")
	f("claude-opus-5", "")
	f("gpt-5.4", "big")
	f("gpt-6-luna", "bigger")
	f("gpt", "")
	f("qwen-20251001", "")
}
