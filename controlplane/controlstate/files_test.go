package controlstate_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestFilesDigestChangesWithCommits(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		expect := func(want int64) {
			t.Helper()
			if got, err := s.Files(t.Context()); err != nil || got != want {
				t.Errorf("digest %d, %v; want %d", got, err, want)
			}
		}
		expect(0)
		for number, digest := range []int64{1 << 52, 0, 7} {
			c := controlstate.Commit{Release: release(t, s, uint64(number)+1), Files: digest, Audit: entry("config.apply")}
			if err := s.Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			expect([]int64{1 << 52, 1 << 52, 7}[number])
		}
	})
}
