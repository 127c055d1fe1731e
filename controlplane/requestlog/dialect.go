package requestlog

import "strings"

// dialect is how a database writes what differs.
type dialect struct {
	// column reads one as text.
	column func(name string, k kind) string
	// moment is a parameter compared with a time.
	moment func(param string) string
	// hour is the beginning of a row's hour.
	hour string
	// cost sums up the cost as text.
	cost string
	// rolled: there is api_usage_hourly.
	rolled bool
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
		hour:   "to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')",
		cost:   "coalesce(sum(cost_usd), 0)::text",
		rolled: true,
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
		hour:   "substr(timestamp, 1, 13) || ':00:00Z'",
		cost:   "CAST(coalesce(sum(cost_pico), 0) AS TEXT)",
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
