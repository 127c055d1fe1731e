package requestlogtest

import (
	"errors"
	"sync"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// Conformance runs the suite. create makes an empty database.
func Conformance(t *testing.T, create func(testing.TB) *Database) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, *Database){
		"columns":               testColumns,
		"absent":                testAbsent,
		"duplicates":            testDuplicates,
		"rejected":              testRejected,
		"hostile text":          testHostileText,
		"parallel":              testParallel,
		"stats":                 testStats,
		"stats filter":          testStatsFilter,
		"stats limit":           testStatsLimit,
		"money":                 testMoney,
		"migrate":               testMigrate,
		"before migration":      testBeforeMigration,
		"cancelled":             testCancelled,
		"rollup per request":    testEveryRowCounts,
		"logs":                  testLogs,
		"order":                 testOrder,
		"invented models":       testInventedModels,
		"stats by column":       testStatsOf,
		"series":                testSeries,
		"sums of days":          testSumUp,
		"report":                testReport,
		"report bounds":         testReportBounds,
		"billing":               testBilling,
		"spending":              testSpending,
		"expire":                testExpire,
		"expire apart":          testExpireApart,
		"content":               testContent,
		"erase":                 testErase,
		"pseudonymise":          testPseudonymise,
		"erase after retention": testEraseAfterRetention,
		"reprice":               testReprice,
		"reprice and erase":     testRepriceErase,
		"shadows":               testShadows,
		"shadows count nowhere": testShadowsCountNowhere,
	} {
		t.Run(name, func(t *testing.T) { check(t, create(t)) })
	}
}

func insert(t *testing.T, s requestlog.Store, rows []*requestlog.Row, want int) {
	t.Helper()
	got, err := s.Insert(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("inserted %d of %d rows, want %d", got, len(rows), want)
	}
}

// An event may come any number of times, in the same batch or in others.
func testDuplicates(t *testing.T, db *Database) {
	s := db.Open(t)
	rows := Rows(t, 0, 100)
	insert(t, s, nil, 0)
	insert(t, s, rows, 100)
	insert(t, s, rows, 0)
	insert(t, s, append(Rows(t, 90, 110), Rows(t, 95, 115)...), 15)
	if n := db.Int(t, "SELECT count(DISTINCT request_id) FROM api_logs"); n != 115 {
		t.Errorf("%d different requests, want 115", n)
	}
	checkRollups(t, s, db, 115)
}

// One bad row fails its batch whole, says whose fault it is, and harms nothing else.
func testRejected(t *testing.T, db *Database) {
	s := db.Open(t)
	insert(t, s, Rows(t, 0, 10), 10)
	for name, spoil := range rejections() {
		bad := Event(15)
		spoil.Apply(bad)
		rows := append(Rows(t, 10, 15), Row(t, bad))
		if _, err := s.Insert(t.Context(), rows); !errors.Is(err, requestlog.ErrRejected) {
			t.Errorf("%s: error %v, want one that wraps %q", name, err, requestlog.ErrRejected)
		}
		checkRollups(t, s, db, 10)
	}
	insert(t, s, Rows(t, 5, 16), 6)
	checkRollups(t, s, db, 16)
}

// Stores of several processes insert the same events at the same time.
func testParallel(t *testing.T, db *Database) {
	const workers, events, batch = 4, 600, 100
	db.Open(t)
	var wg sync.WaitGroup
	for w := range workers {
		s := db.OpenEmpty(t)
		wg.Go(func() {
			for i := range events / batch {
				// each worker starts elsewhere, all cover everything
				first := (i + w) % (events / batch) * batch
				if _, err := s.Insert(t.Context(), Rows(t, first, first+batch)); err != nil {
					t.Errorf("worker %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	checkRollups(t, db.OpenEmpty(t), db, events)
}

// Programs that start together migrate together; later starts find it done.
func testMigrate(t *testing.T, db *Database) {
	var wg sync.WaitGroup
	for range 4 {
		s := db.OpenEmpty(t)
		wg.Go(func() {
			for range 2 {
				if err := s.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	versions := db.Int(t, "SELECT count(*) FROM schema_migrations")
	if last := db.Int(t, "SELECT max(version) FROM schema_migrations"); versions < 1 || versions != last {
		t.Errorf("%d steps recorded up to version %d", versions, last)
	}
	insert(t, db.OpenEmpty(t), Rows(t, 0, 1), 1)
}

// A collector that is faster than the migration must wait, not drop events.
func testBeforeMigration(t *testing.T, db *Database) {
	s := db.OpenEmpty(t)
	if err := s.Health(t.Context()); err != nil {
		t.Errorf("health of an empty database: %v", err)
	}
	_, err := s.Insert(t.Context(), Rows(t, 0, 1))
	if err == nil || errors.Is(err, requestlog.ErrRejected) {
		t.Errorf("insert without tables: error %v, want one that is not %q", err, requestlog.ErrRejected)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, s, Rows(t, 0, 1), 1)
}
