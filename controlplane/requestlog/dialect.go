package requestlog

import "strings"

// dialect is how a database writes what differs.
type dialect struct {
	// column reads one as text.
	column func(name string, k kind) string
	// moment is a parameter compared with a time.
	moment func(param string) string
	// contains is a condition: a column has a parameter in it.
	contains func(column, param string) string
	// list is a query for the elements of a JSON array in a parameter.
	list func(param string) string
	// text is a parameter whose type would not be known.
	text func(param string) string
	// lock, if it is not empty, keeps inserts out until the transaction ends.
	lock string
	// hour is the beginning of a row's hour as text.
	hour string
	// slot and hourSlot are the quarter of an hour and the hour that a time falls
	// into, as roll-ups have them.
	slot, hourSlot func(at string) string
	// cost sums up the cost as text.
	cost string
	// step is the beginning of the Step that a time falls into, stepText that as text.
	step     func(at string, step Step) string
	stepText func(step string) string
	// usageCost sums up the cost in api_usage as text; costColumn has it.
	usageCost, costColumn string
	// byHour: api_usage_by has what each name used, by the hour.
	byHour bool
	// pico: the money that comes is in pico-dollars.
	pico bool
}

func postgresDialect() dialect {
	const iso = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`
	return dialect{
		column: func(name string, k kind) string {
			switch k {
			case kindSecond:
				return "to_char(" + name + " AT TIME ZONE 'UTC', " + iso + ")"
			case kindMicro:
				return "to_char(" + name + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
			case kindText:
				return name
			default:
				return name + "::text"
			}
		},
		moment: func(param string) string { return param + "::text::timestamptz" },
		contains: func(column, param string) string {
			return "position(lower(" + param + "::text) IN lower(" + column + ")) > 0"
		},
		list:       func(param string) string { return "SELECT jsonb_array_elements_text(" + param + "::text::jsonb)" },
		text:       func(param string) string { return param + "::text" },
		lock:       "LOCK TABLE ONLY api_logs IN SHARE ROW EXCLUSIVE MODE",
		slot:       func(at string) string { return "to_timestamp(floor(extract(epoch FROM " + at + ") / 900) * 900)" },
		hourSlot:   func(at string) string { return "date_trunc('hour', " + at + ", 'UTC')" },
		hour:       "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')",
		cost:       "coalesce(sum(cost_usd), 0)::text",
		step:       func(at string, step Step) string { return "date_trunc('" + string(step) + "', " + at + ", 'UTC')" },
		stepText:   func(step string) string { return "to_char(" + step + " AT TIME ZONE 'UTC', " + iso + ")" },
		usageCost:  "sum(cost_usd)::text",
		costColumn: "cost_usd",
		byHour:     true,
	}
}

func sqliteDialect() dialect {
	return dialect{
		pico: true,
		column: func(name string, k kind) string {
			switch k {
			case kindMoney:
				return "CAST(" + strings.TrimSuffix(name, "usd") + "pico AS TEXT)"
			case kindInt:
				return "CAST(" + name + " AS TEXT)"
			default:
				return name
			}
		},
		moment: func(param string) string { return param },
		contains: func(column, param string) string {
			return "instr(lower(" + column + "), lower(" + param + ")) > 0" // LIKE's patterns are limited in D1
		},
		list: func(param string) string { return "SELECT value FROM json_each(" + param + ")" },
		text: func(param string) string { return param },
		slot: func(at string) string {
			return "substr(" + at + ", 1, 14) || printf('%02d', CAST(substr(" + at + ", 15, 2) AS INTEGER) / 15 * 15) || ':00Z'"
		},
		hourSlot: func(at string) string { return "substr(" + at + ", 1, 13) || ':00:00Z'" },
		hour:     "substr(timestamp, 1, 13) || ':00:00Z'",
		cost:     "CAST(coalesce(sum(cost_pico), 0) AS TEXT)",
		step: func(at string, step Step) string {
			switch step {
			case ByMinute:
				return "substr(" + at + ", 1, 16) || ':00Z'"
			case ByDay:
				return "substr(" + at + ", 1, 10) || 'T00:00:00Z'"
			default:
				return "substr(" + at + ", 1, 13) || ':00:00Z'"
			}
		},
		stepText:   func(step string) string { return step },
		usageCost:  "CAST(sum(cost_pico) AS TEXT)",
		costColumn: "cost_pico",
	}
}

func (d dialect) money(cell *string) (string, error) {
	if cell == nil {
		return "0", nil
	}
	text := *cell
	if d.pico {
		err := fromPico(&text)
		return text, err
	}
	return trimDecimal(text), nil
}
