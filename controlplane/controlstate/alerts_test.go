package controlstate_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// A threshold is told once for a period and a value of its limit.
func TestAlertsAreRecordedOnce(t *testing.T) {
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		s := open(t, db)
		f := func(period uint64, value int64, percent int, want bool) {
			t.Helper()
			a := controlstate.Alert{Counter: "ff00", Period: period, Value: value, Percent: percent, Event: "{}", Created: created, Delivery: controlstate.DeliveryPending}
			if got, err := s.RecordAlert(t.Context(), a, entry("limit.alert")); err != nil || got != want {
				t.Errorf("period %d, %d %% of %d: recorded %v, %v", period, percent, value, got, err)
			}
		}
		f(7, 50, 80, true)
		f(7, 50, 80, false)
		f(7, 50, 50, false) // less than what was told
		f(7, 50, 100, true)
		f(7, 70, 80, true) // the limit was raised
		f(8, 50, 80, true)
		log, err := s.AuditLog(t.Context(), controlstate.AuditQuery{Limit: 10})
		if err != nil || len(log) != 4 {
			t.Errorf("%d audit entries, %v, want one for each alert", len(log), err)
		}
		list, err := s.Alerts(t.Context(), controlstate.DeliveryPending)
		if err != nil || len(list) != 4 {
			t.Fatalf("alerts %+v, %v", list, err)
		}
		if err := s.AlertDelivery(t.Context(), &list[0], controlstate.DeliveryDelivered); err != nil {
			t.Fatal(err)
		}
		if list, err = s.Alerts(t.Context(), controlstate.DeliveryPending); err != nil || len(list) != 3 {
			t.Errorf("pending %+v, %v", list, err)
		}
		if list, err = s.Alerts(t.Context(), ""); err != nil || len(list) != 4 {
			t.Errorf("alerts %+v, %v", list, err)
		}
	})
}
