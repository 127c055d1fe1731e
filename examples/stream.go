// Streams an answer with Go's standard library: go run examples/stream.go
package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

type chunk struct {
	Provider string
	Choices  []struct{ Delta struct{ Content string } }
	Usage    *struct {
		Total int `json:"total_tokens"`
		Cost  float64
	}
	Error *struct{ Message string }
}

func main() {
	if err := stream(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func stream(ctx context.Context) error {
	const body = `{"model": "demo", "stream": true, "messages": [{"role": "user", "content": "Count to 5"}]}`
	url := cmp.Or(os.Getenv("GATEWAY_URL"), "http://localhost:8080") + "/v1/chat/completions"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+cmp.Or(os.Getenv("GATEWAY_KEY"), "none"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	var last chunk
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || data == "[DONE]" {
			continue // blank lines, and comments that keep the connection open
		}
		last = chunk{}
		if err := json.Unmarshal([]byte(data), &last); err != nil {
			return err
		}
		if last.Error != nil {
			return fmt.Errorf("the gateway: %s", last.Error.Message)
		}
		for _, c := range last.Choices {
			fmt.Print(c.Delta.Content)
		}
	}
	if last.Usage == nil {
		return fmt.Errorf("the stream ended before its usage")
	}
	_, err = fmt.Printf("\n%s: %d tokens, %v USD\n", last.Provider, last.Usage.Total, last.Usage.Cost)
	return err
}
