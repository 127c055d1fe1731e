package controlstate_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestGrantedLeasesAreRemembered(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		for _, want := range []bool{false, true, true} {
			if got, err := s.LeasesGranted(t.Context()); err != nil || got != want {
				t.Errorf("granted: %v, %v; want %v", got, err, want)
			}
			if err := s.NoteLeasesGranted(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
