package requestlog

import (
	"context"
	"fmt"
	"strings"
)

// leftovers erases the lines of api_usage whose rows are gone already: retention
// has removed them. The histograms of latency do not say whose they were.
func (e *eraser) leftovers(ctx context.Context) error {
	for {
		found, err := e.texts(ctx, "SELECT "+e.d.column("slot", kindSecond)+" FROM api_usage WHERE "+e.column+" = $1 AND slot < "+e.d.moment("$2")+
			fmt.Sprintf(" ORDER BY api_usage.slot LIMIT %d", eraseChunk), e.name, isoTime(e.Before))
		if err != nil || len(found) == 0 {
			return err
		}
		changed, err := e.lines(ctx, orEmpty(found[0][0]), orEmpty(found[len(found)-1][0]))
		if err != nil || changed == 0 { // a row has come meanwhile: it is for the next time
			return err
		}
	}
}

// lines erases the lines of a span of slots, unless one of their rows is there.
func (e *eraser) lines(ctx context.Context, first, last string) (int64, error) {
	c := chunk{d: e.d, ids: e.name, first: first, last: last, pseudonym: e.pseudonym}
	where := e.column + " = " + e.d.text("$1") + " AND slot >= " + e.d.moment("$2") + " AND slot <= " + e.d.moment("$3") +
		" AND NOT EXISTS (SELECT 1 FROM api_logs AS l WHERE l." + e.column + " = " + e.d.text("$1") + " AND l.timestamp >= " + e.d.moment("$2") + " AND " +
		e.d.slot("l.timestamp") + " <= " + e.d.moment("$3") + ")"
	batch := c.begin()
	if e.pseudonym == "" {
		groups, figures := hourlyGroups(e.d), hourlySums(e.d)
		groups[0].from, groups[1].from = e.d.hourSlot("slot"), "model"
		for i, p := range figures {
			switch p.column {
			case "success_count":
				figures[i].from = "sum(request_count - error_count)"
			case "total_tokens":
				figures[i].from = "sum(total_tokens)"
			default:
				figures[i].from = "sum(" + strings.TrimPrefix(p.column, "total_") + ")"
			}
		}
		batch = append(batch, c.sql(subtract("api_stats_hourly", groups, figures, "api_usage WHERE "+where)),
			c.sql("DELETE FROM api_stats_hourly WHERE "+e.d.text("$1")+" <> '' AND request_count <= 0 AND hour >= "+
				e.d.hourSlot(e.d.moment("$2"))+" AND hour <= "+e.d.moment("$3")))
	} else {
		groups, figures := usageGroups(e.d), append(usageSums(e.d), pair{"last_second", "max(last_second)"})
		for i := range groups {
			groups[i].from = groups[i].column
		}
		for i, p := range figures[:len(figures)-1] {
			figures[i].from = "sum(" + p.column + ")"
		}
		batch = append(batch, c.sql(c.renamed("api_usage WHERE "+where, groups, figures, "$4"), e.pseudonym))
	}
	changed, err := e.db.Write(ctx, append(batch, c.sql("DELETE FROM api_usage WHERE "+where))...)
	if err != nil {
		return 0, err
	}
	return changed[len(changed)-1], nil
}
