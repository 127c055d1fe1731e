package transcriptions_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/transcriptions"
	"github.com/hybridinference/gateway/shared/fault"
)

// header is a request's Content-Type.
type header string

func (h header) Peek(string) []byte { return []byte(h) }

const contentType = header("multipart/form-data; boundary=b")

// request is a form with a file and these fields, name and value in turn.
func request(fields ...string) []byte {
	body := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nsound\r\n"
	for i := 0; i < len(fields); i += 2 {
		body += "--b\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i+1] + "\r\n"
	}
	return []byte(body + "--b--\r\n")
}

func adapter(tb testing.TB) codec.Adapter {
	tb.Helper()
	a, err := adapters.New(codec.Settings{Kind: "openai_compat", BaseURL: "https://upstream.test", Model: "m"})
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// parsed returns the translator of a request.
func parsed(tb testing.TB, fields ...string) api.Translator {
	tb.Helper()
	tr := transcriptions.Language().New()
	if err := tr.Parse(request(fields...), contentType); err != nil {
		tb.Fatal(err)
	}
	return tr
}

// play feeds an upstream's stream in pieces and returns what the client gets,
// the usage, and how the stream ended.
func play(tb testing.TB, a codec.Adapter, upstream []byte, piece int) (string, chat.Usage, error) {
	tb.Helper()
	tr := parsed(tb, "model", "m", "stream", "true")
	decoder, out := tr.Decoder(a), tr.Stream()
	out.Begin(api.Head{ID: "gen-1", Model: "m"})
	usage, err := feed(decoder, out, upstream, piece)
	if err == nil {
		out.End(&api.Total{Usage: usage, Cost: "0.5"})
	}
	checkEvents(tb, *out.Buffer())
	return string(*out.Buffer()), usage, err
}

func feed(decoder codec.Decoder, out api.Stream, upstream []byte, piece int) (usage chat.Usage, err error) {
	reader := new(sse.Reader)
	take := func(events []chat.Event) (done bool) {
		for i := range events {
			if events[i].Usage != nil {
				usage = *events[i].Usage
			}
			out.Event(&events[i])
			done = done || events[i].Done
		}
		return done
	}
	for len(upstream) > 0 {
		n := copy(reader.Space(), upstream[:min(piece, len(upstream))])
		reader.Advance(n)
		upstream = upstream[n:]
		for {
			ev, ok, err := reader.Next()
			if err != nil {
				return usage, err
			}
			if !ok {
				break
			}
			events, err := decoder.Event(ev.Name, ev.Data, nil)
			if done := take(events); done || err != nil {
				return usage, err
			}
		}
	}
	events, err := decoder.EOF(nil)
	take(events)
	return usage, err
}

// checkEvents fails if not each event for the client is a JSON object.
func checkEvents(tb testing.TB, stream []byte) {
	tb.Helper()
	for line := range bytes.Lines(stream) {
		if data, ok := bytes.CutPrefix(line, []byte("data: ")); ok && !json.Valid(data) {
			tb.Fatalf("not JSON: %s", data)
		}
	}
}

const (
	ownEvents = `data: {"type":"transcript.text.delta","delta":"Guten "}` + "\n\n" +
		`data: {"type":"transcript.text.delta","delta":"T\u00e4g"}` + "\n\n" +
		`data: {"type":"transcript.text.done","text":"Guten T\u00e4g","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":5,"total_tokens":19}}` + "\n\n"
	chunks = `data: {"object":"transcription.chunk","choices":[{"delta":{"content":"Guten "}}]}` + "\n\n" +
		`data: {"object":"transcription.chunk","choices":[{"delta":{"content":"T\u00e4g"},"finish_reason":"stop"}]}` + "\n\n" +
		`data: {"object":"transcription.chunk","choices":[],"usage":{"prompt_tokens":14,"completion_tokens":5,"total_tokens":19}}` + "\n\n" +
		"data: [DONE]\n\n"
)

// Wherever a stream is cut into pieces, the client gets the same; wherever it
// ends, it is complete only if its text is.
func TestStreamsCutAtEveryByte(t *testing.T) {
	a := adapter(t)
	for _, tc := range []struct {
		name, stream string
		// complete ends the shortest stream that is complete.
		complete string
	}{
		{"OpenAI's events", ownEvents, ownEvents},
		{"vLLM's chunks", chunks, chunks[:strings.Index(chunks, `data: {"object":"transcription.chunk","choices":[],`)]},
	} {
		whole, usage, err := play(t, a, []byte(tc.stream), len(tc.stream))
		if err != nil || usage.Prompt != 14 || usage.Completion != 5 || usage.Estimated {
			t.Fatalf("%s: %+v, %v", tc.name, usage, err)
		}
		if !strings.Contains(whole, `"text":"Guten T\u00e4g"`) || strings.Count(whole, "transcript.text.done") != 1 || !strings.Contains(whole, `"cost":0.5`) {
			t.Fatalf("%s: the client gets %s", tc.name, whole)
		}
		for n := 1; n <= len(tc.stream); n++ {
			if got, u, err := play(t, a, []byte(tc.stream), n); err != nil || got != whole || u != usage {
				t.Fatalf("%s in pieces of %d: %s, %+v, %v", tc.name, n, got, u, err)
			}
			_, u, err := play(t, a, []byte(tc.stream[:n]), n)
			if complete := n >= len(tc.complete); complete != (err == nil) {
				t.Fatalf("%s cut at %d of %d: %v", tc.name, n, len(tc.stream), err)
			}
			if u.Prompt < 0 || u.Completion < 0 {
				t.Fatalf("%s cut at %d: %+v", tc.name, n, u)
			}
		}
	}
}

// A unary answer that was cut is refused, or is text as far as it came.
func TestAnswersCutAtEveryByte(t *testing.T) {
	a := adapter(t)
	whole := []byte(`{"text":"Guten T\u00e4g","usage":{"type":"duration","seconds":3.2}}`)
	for n := range len(whole) + 1 {
		tr := parsed(t)
		events, err := tr.Decoder(a).Body(whole[:n], nil)
		if (err == nil) != (n == len(whole)) {
			t.Fatalf("%s: %v", whole[:n], err)
		}
		if err == nil && (events[0].Usage.Prompt != 4 || events[0].Usage.Estimated) {
			t.Errorf("usage %+v", events[0].Usage)
		}
	}
	const subtitles = "1\n00:00:01,000 --> 01:00:04,200\nGuten Tag\n"
	for n := range len(subtitles) + 1 {
		tr := parsed(t, "response_format", "srt")
		events, err := tr.Decoder(a).Body([]byte(subtitles[:n]), nil)
		if err != nil || events[0].Usage.Prompt < 0 || string(tr.Append(nil, api.Head{}, &api.Total{})) != subtitles[:n] {
			t.Fatalf("%q: %v", subtitles[:n], err)
		}
		if n == len(subtitles) && (events[0].Usage.Prompt != 3605 || !events[0].Usage.Estimated) {
			t.Errorf("usage %+v", events[0].Usage)
		}
	}
}

// What an upstream sends becomes JSON events and a usage that is not negative,
// in pieces as in one, or a fault.
func FuzzStream(f *testing.F) {
	a := adapter(f)
	f.Add([]byte(ownEvents), uint8(3))
	f.Add([]byte(chunks), uint8(1))
	f.Add([]byte("data: {\"type\":\"error\",\"error\":{\"message\":\"m\"}}\n\n"), uint8(7))
	f.Add([]byte("data: {\"type\":\"transcript.text.done\",\"text\":7}\n\n"), uint8(9))
	f.Fuzz(func(t *testing.T, stream []byte, piece uint8) {
		once, u, err := play(t, a, stream, max(len(stream), 1))
		checkEnd(t, u, err)
		if pieces, v, err2 := play(t, a, stream, int(piece)+1); pieces != once || u != v || (err == nil) != (err2 == nil) {
			t.Fatalf("%s, %+v, %v; in pieces of %d %s, %+v, %v", once, u, err, int(piece)+1, pieces, v, err2)
		}
	})
}

// FuzzBody does so with unary answers in every format.
func FuzzBody(f *testing.F) {
	a := adapter(f)
	formats := []string{"json", "text", "srt", "verbose_json", "vtt", "diarized_json"}
	f.Add([]byte(`{"text":"a","duration":"1.5"}`), uint8(0))
	f.Add([]byte("1\n00:00:01,000 --> 00:00:04,200\na\n"), uint8(2))
	f.Add([]byte("WEBVTT\n\n00:01.000 --> 00:04.200\na\n"), uint8(4))
	f.Add([]byte(`{"detail":"x"}`), uint8(1))
	f.Fuzz(func(t *testing.T, body []byte, format uint8) {
		name := formats[int(format)%len(formats)]
		tr := parsed(t, "response_format", name)
		events, err := tr.Decoder(a).Body(body, nil)
		if err != nil {
			checkEnd(t, chat.Usage{}, err)
			return
		}
		checkEnd(t, *events[0].Usage, nil)
		if answer := tr.Append(nil, api.Head{}, &api.Total{Cost: "0.5"}); strings.HasSuffix(name, "json") && !json.Valid(answer) {
			t.Fatalf("%s becomes %s", body, answer)
		}
	})
}

func checkEnd(t *testing.T, u chat.Usage, err error) {
	t.Helper()
	if u.Prompt < 0 || u.Completion < 0 || u.PromptAudio < 0 {
		t.Fatalf("usage %+v", u)
	}
	if _, ok := errors.AsType[*fault.Error](err); err != nil && !ok {
		t.Fatalf("not a fault: %v", err)
	}
}

// FuzzParse: a request is read or refused with an InvalidRequest fault.
func FuzzParse(f *testing.F) {
	f.Add(request("model", "m", "stream", "true", "temperature", "0.5", "provider", `{"only":["a"]}`))
	f.Add(request("response_format", "srt", "timestamp_granularities[]", "word"))
	f.Fuzz(func(t *testing.T, body []byte) {
		err := transcriptions.Language().New().Parse(body, contentType)
		if fe, ok := errors.AsType[*fault.Error](err); err != nil && (!ok || fe.Kind != fault.InvalidRequest) {
			t.Fatalf("%q: %v", body, err)
		}
	})
}
