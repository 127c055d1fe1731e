package requestlog

// kind is the type of a column; each database has its own for every kind.
type kind uint8

const (
	kindText kind = iota
	kindInt
	kindFloat
	kindBool
	kindJSON
	kindSecond // time, num in seconds since 1970
	kindMicro  // time, num in microseconds since 1970
	kindMoney  // num in pico-dollars
)

// cell is one value of a row on its way to a database: text, raw, num or
// float by kind.
type cell struct {
	kind  kind
	null  bool
	text  string
	raw   []byte
	num   int64
	float float64
}

func intCell(n int64) cell { return cell{kind: kindInt, num: n} }

func intIf(ok bool, n int64) cell { return cell{kind: kindInt, num: n, null: !ok} }

func floatIf(v optional[float64]) cell {
	return cell{kind: kindFloat, float: v.value, null: !v.ok}
}

func moneyIf(v optional[int64]) cell {
	return cell{kind: kindMoney, num: v.value, null: !v.ok}
}

func jsonCell(raw []byte) cell { return cell{kind: kindJSON, raw: raw, null: raw == nil} }

func boolCell(b bool) cell {
	c := cell{kind: kindBool}
	if b {
		c.num = 1
	}
	return c
}

// textCell is NULL for "": nothing and an empty string mean the same in an event.
func textCell(s string, limit int) cell {
	s = cleanText(s, limit)
	return cell{kind: kindText, text: s, null: s == ""}
}

func nameCell(s string) cell { return textCell(s, maxName) }

// requiredCell is for columns that are NOT NULL.
func requiredCell(s string) cell { return cell{kind: kindText, text: cleanText(s, maxName)} }
