package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/secret"
)

func TestNothingPrintsTheText(t *testing.T) {
	s := secret.New("hunter2")
	type holder struct {
		Key    secret.String
		hidden secret.String
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", slog.Any("key", s), slog.Any("holder", holder{s, s}))
	asJSON, err := json.Marshal(holder{s, s})
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q %x", s, holder{s, s}, holder{s, s}, s, s, s) + string(asJSON) + log.String()
	if strings.Contains(all, "hunter2") || strings.Contains(all, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("the text leaked: %s", all)
	}
	if s.Reveal() != "hunter2" || s.Empty() || !secret.New("").Empty() {
		t.Error("Reveal or Empty is wrong")
	}
}
