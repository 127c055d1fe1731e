package controlstate

import (
	"context"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// What became of the webhook of an Alert.
const (
	DeliveryNone      = "none" // there was no webhook
	DeliveryPending   = "pending"
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed"
)

// Alert says that a threshold of a limit was crossed.
type Alert struct {
	// Counter is wire.Limit.Counter in hex, Period the number of the calendar
	// period and Value the limit's.
	Counter string
	Period  uint64
	Value   int64
	Percent int
	// Event is what the webhook gets.
	Event    string
	Created  time.Time
	Delivery string
}

// alertsKept is how long alerts of periods that are over are kept.
const alertsKept = 100 * 24 * time.Hour

// RecordAlert stores an alert and its audit entry. It returns false if one of
// at least its percentage is there for the period and the value.
func (s *State) RecordAlert(ctx context.Context, a Alert, audit Entry) (bool, error) {
	const known = "EXISTS (SELECT 1 FROM control_limit_alerts WHERE counter = "
	if err := audit.check(); err != nil {
		return false, err
	}
	period, created := int64(a.Period), seconds(a.Created) //nolint:gosec // days, weeks or months
	changed, err := s.write(ctx, []database.Statement{
		audit.insertIf("WHERE NOT "+known+"$7 AND period = $8 AND value = $9 AND percent >= $10)", a.Counter, period, a.Value, a.Percent),
		database.SQL(`INSERT INTO control_limit_alerts (counter, period, value, percent, event, created, delivery)
			SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS TEXT), CAST($6 AS BIGINT), CAST($7 AS TEXT)
			WHERE NOT `+known+"$1 AND period = $2 AND value = $3 AND percent >= $4)", a.Counter, period, a.Value, a.Percent, a.Event, created, a.Delivery),
		// a budget in total has period 1, which is never over
		database.SQL("DELETE FROM control_limit_alerts WHERE period <> 1 AND created < $1", created-int64(alertsKept/time.Second)),
	})
	if err != nil {
		return false, fmt.Errorf("record alert: %w", err)
	}
	return changed[1] == 1, nil
}

// Alerts lists all alerts, or those with a delivery, oldest first.
func (s *State) Alerts(ctx context.Context, delivery string) (list []Alert, err error) {
	query := "SELECT counter, period, value, percent, event, created, delivery FROM control_limit_alerts "
	var args []any
	if delivery != "" {
		query, args = query+"WHERE delivery = $1 ", []any{delivery}
	}
	err = s.read(ctx, database.SQL(query+"ORDER BY created, counter, percent", args...), func(r database.Row) error {
		var a Alert
		var period, created int64
		if err := r.Scan(&a.Counter, &period, &a.Value, &a.Percent, &a.Event, &created, &a.Delivery); err != nil {
			return err
		}
		a.Period, a.Created = uint64(period), moment(created) //nolint:gosec // it was one
		list = append(list, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	return list, nil
}

// AlertDelivery notes what became of an alert's webhook.
func (s *State) AlertDelivery(ctx context.Context, a *Alert, delivery string) error {
	_, err := s.write(ctx, []database.Statement{database.SQL(
		"UPDATE control_limit_alerts SET delivery = $5 WHERE counter = $1 AND period = $2 AND value = $3 AND percent = $4",
		a.Counter, int64(a.Period), a.Value, a.Percent, delivery, //nolint:gosec // as above
	)})
	if err != nil {
		return fmt.Errorf("note the delivery of an alert: %w", err)
	}
	return nil
}
