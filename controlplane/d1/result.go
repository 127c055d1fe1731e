package d1

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// Result is the outcome of one statement.
type Result struct {
	Columns []string
	Rows    []Row
	// Changes counts the rows that it wrote, those of triggers included.
	Changes int64
}

// Row is one row of a Result.
type Row []any

// Scan copies the values, in the order of the columns. A value may come as a
// number or as its text; NULL leaves what is there.
func (r Row) Scan(dest ...any) error {
	if len(dest) != len(r) {
		return fmt.Errorf("D1: a row of %d values, want %d", len(r), len(dest))
	}
	for i, value := range r {
		if value == nil {
			continue
		}
		if err := scan(fmt.Sprint(value), dest[i]); err != nil {
			return fmt.Errorf("D1: value %d: %w", i, err)
		}
	}
	return nil
}

func scan(text string, dest any) (err error) {
	switch d := dest.(type) {
	case *string:
		*d = text
	case *int:
		*d, err = strconv.Atoi(text)
	case *int64:
		*d, err = strconv.ParseInt(text, 10, 64)
	case *uint64:
		*d, err = strconv.ParseUint(text, 10, 64)
	case *float64:
		*d, err = strconv.ParseFloat(text, 64)
	case **string:
		*d = &text
	default:
		err = fmt.Errorf("cannot scan into a %T", dest)
	}
	return err
}

// Len is the number of columns.
func (r Row) Len() int { return len(r) }

// decode reads an answer to a batch of n statements.
func decode(status int, text []byte, n int) ([]Result, error) {
	var answer struct {
		Success bool `json:"success"`
		Errors  []struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"errors"`
		Result []struct {
			Results struct {
				Columns []string `json:"columns"`
				Rows    [][]any  `json:"rows"`
			} `json:"results"`
			Meta struct {
				Changes int64 `json:"changes"`
			} `json:"meta"`
		} `json:"result"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // integers keep their digits
	err := dec.Decode(&answer)
	switch {
	case err == nil && len(answer.Errors) > 0:
		return nil, &Error{Status: status, Code: answer.Errors[0].Code, Message: answer.Errors[0].Message}
	case status != http.StatusOK:
		return nil, &Error{Status: status, Message: http.StatusText(status) + " without an explanation"}
	case err != nil:
		return nil, fmt.Errorf("D1: unreadable response: %w", err)
	case !answer.Success || len(answer.Result) != n:
		return nil, fmt.Errorf("D1: %d results for %d statements, success %v", len(answer.Result), n, answer.Success)
	}
	out := make([]Result, n)
	for i, r := range answer.Result {
		out[i] = Result{Columns: r.Results.Columns, Changes: r.Meta.Changes}
		for _, row := range r.Results.Rows {
			out[i].Rows = append(out[i].Rows, row)
		}
	}
	return out, nil
}
