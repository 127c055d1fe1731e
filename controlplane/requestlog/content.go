package requestlog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// Content is what was asked and answered.
type Content struct {
	RequestID string `json:"request_id"`
	// Prompt is the messages as JSON text, Answer the text that was answered;
	// both may be cut.
	Prompt string `json:"prompt"`
	Answer string `json:"answer"`
}

// withContent returns the rows that have any.
func withContent(rows []*Row) (list []*Row) {
	for _, r := range rows {
		if r.usage.Prompt != "" || r.usage.Answer != "" {
			list = append(list, r)
		}
	}
	return list
}

const postgresContentSQL = `INSERT INTO api_contents (request_id, timestamp, prompt, answer)
	SELECT * FROM unnest($1::text[], $2::text[]::timestamptz[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`

// addContent puts the contents of rows into the batch, and so into the
// transaction, that inserts them.
func (p *Postgres) addContent(batch *pgconn.Batch, rows []*Row) {
	if len(rows) == 0 {
		return
	}
	text := kindText.postgres()
	params := make([][]byte, 4)
	for i := range params {
		params[i] = newPGArray(nil, text.element, len(rows))
	}
	for _, r := range rows {
		for i, value := range []string{r.RequestID(), r.timestamp().Format("2006-01-02T15:04:05Z"), r.usage.Prompt, r.usage.Answer} {
			params[i] = cell{kind: kindText, text: cleanText(value, len(value))}.appendPG(params[i])
		}
	}
	batch.ExecParams(postgresContentSQL, params, []uint32{text.array, text.array, text.array, text.array}, []int16{1, 1, 1, 1}, nil)
}

// sqliteContentSQL is D1's, too: one parameter, a JSON array of arrays.
const sqliteContentSQL = `INSERT INTO api_contents (request_id, timestamp, prompt, answer)
	SELECT value->>0, value->>1, value->>2, value->>3 FROM json_each($1) WHERE true ON CONFLICT (request_id) DO NOTHING`

func appendContents(dst []byte, rows []*Row) []byte {
	for i, r := range rows {
		dst = append(dst, "[,"[min(i, 1)])
		for j, value := range []string{r.RequestID(), r.timestamp().Format("2006-01-02T15:04:05Z"), r.usage.Prompt, r.usage.Answer} {
			dst = append(dst, "[,"[min(j, 1)])
			dst = rawjson.AppendString(dst, cleanText(value, len(value)))
		}
		dst = append(dst, ']')
	}
	return append(dst, ']')
}

// Content implements Store.
func (l *log) Content(ctx context.Context, id string) (*Content, error) {
	q := question{d: l.d}
	q.and("request_id = " + q.param(id))
	found, err := l.texts(ctx, "SELECT request_id, prompt, answer FROM api_contents"+q.clause(), q.args...)
	if err != nil {
		return nil, fmt.Errorf("read content: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return &Content{orEmpty(found[0][0]), orEmpty(found[0][1]), orEmpty(found[0][2])}, nil
}
