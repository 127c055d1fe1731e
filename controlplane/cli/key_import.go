package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func importKeys(ctx context.Context, in *invocation) error {
	list, err := in.readKeys(in.args[0])
	if err != nil {
		return err
	}
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.ImportResult, keyOutcome, error) {
		made, err := client.ImportKeys(ctx, list, change)
		fields := []field{{name: "imported", text: integer(made.Imported), tint: good}, {name: "known", text: integer(made.Known)}}
		return made, keyOutcome{fields, made.Nodes}, err
	})
}

// readKeys reads a file of keys, "-" for the standard input.
func (in *invocation) readKeys(path string) ([]adminapi.ImportedKey, error) {
	text, err := in.readAll(path)
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	read := keysOfCSV
	if start := bytes.TrimSpace(text); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		read = keysOfJSON
	}
	list, err := read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s contains no keys", path)
	}
	return list, nil
}

func (in *invocation) readAll(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(in.opts.Stdin)
	}
	return os.ReadFile(path)
}

// keysOfJSON reads an array of objects, or objects one after the other.
func keysOfJSON(text []byte) (list []adminapi.ImportedKey, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if bytes.TrimSpace(text)[0] == '[' {
		if err := dec.Decode(&list); err != nil {
			return nil, fmt.Errorf("not a JSON array of keys: %w", err)
		}
		return list, nil
	}
	for {
		var k adminapi.ImportedKey
		if err := dec.Decode(&k); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(list)+1, err)
		}
		list = append(list, k)
	}
}

// keysOfCSV reads a table whose first line names the columns.
func keysOfCSV(text []byte) (list []adminapi.ImportedKey, err error) {
	table := csv.NewReader(bytes.NewReader(text))
	columns, err := table.Read()
	if err != nil {
		return nil, fmt.Errorf("header line: %w", err)
	}
	known := []string{"hash", "prefix", "name", "user", "role", "models", "expires"}
	for i, name := range columns {
		columns[i] = strings.TrimSpace(name)
		if !slices.Contains(known, columns[i]) {
			return nil, fmt.Errorf("line 1: unknown column %q, must be one of %s", columns[i], strings.Join(known, ", "))
		}
	}
	if !slices.Contains(columns, "hash") {
		return nil, errors.New("line 1: the column hash is missing")
	}
	for {
		cells, err := table.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		row := map[string]string{}
		for i, cell := range cells {
			row[columns[i]] = strings.TrimSpace(cell)
		}
		list = append(list, adminapi.ImportedKey{
			Hash: row["hash"], Prefix: row["prefix"], Name: row["name"], User: row["user"], Role: row["role"],
			Models: strings.Fields(row["models"]), Expires: row["expires"],
		})
	}
}
