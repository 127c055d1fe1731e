package requestlog

import (
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// jsonInsertSQL inserts a batch in SQLite's dialect: one statement with
// one parameter, a JSON array of arrays. It is so for D1, which takes at most
// 100 parameters and sends numbers through JavaScript; inside a JSON text
// integers keep all 64 bits.
func jsonInsertSQL() string {
	var columns, values []string
	row := &Row{usage: new(wire.Usage)}
	row.each(func(column string, c cell) {
		if c.kind == kindMoney {
			column = strings.TrimSuffix(column, "usd") + "pico"
		}
		values = append(values, "line->>"+strconv.Itoa(len(columns)))
		columns = append(columns, column)
	})
	// MATERIALIZED: json_each writes out the whole line anew for every mention
	// of value, once per column. WHERE true: else the parser takes ON for a join.
	return "WITH lines AS MATERIALIZED (SELECT value AS line FROM json_each($1)) INSERT INTO api_logs (" +
		strings.Join(columns, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM lines WHERE true ON CONFLICT (request_id) DO NOTHING"
}

// appendRows appends the parameter.
func appendRows(dst []byte, rows []*Row) []byte {
	for i, r := range rows {
		dst = append(dst, "[,"[min(i, 1)])
		first := true
		r.each(func(_ string, c cell) {
			if first {
				dst = append(dst, '[')
			} else {
				dst = append(dst, ',')
			}
			first = false
			dst = c.appendJSON(dst)
		})
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

func (c cell) appendJSON(dst []byte) []byte {
	if c.null {
		return append(dst, "null"...)
	}
	switch c.kind {
	case kindText:
		return rawjson.AppendString(dst, c.text)
	case kindJSON:
		// as text: a column holds the document, not its parts
		return rawjson.AppendString(dst, c.raw)
	case kindFloat:
		return strconv.AppendFloat(dst, c.float, 'g', -1, 64)
	case kindSecond:
		return time.Unix(c.num, 0).UTC().AppendFormat(dst, `"2006-01-02T15:04:05Z"`)
	case kindMicro:
		return time.UnixMicro(c.num).UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000000Z"`)
	case kindInt, kindBool, kindMoney:
	}
	return strconv.AppendInt(dst, c.num, 10)
}
