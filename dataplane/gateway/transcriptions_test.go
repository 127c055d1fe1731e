package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/wire"
)

const formType = "multipart/form-data; boundary=bb"

// upload is a form with a sound and these fields, name=value.
func upload(fields ...string) string {
	b := "--bb\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg\r\n\r\n\x00\xff sound\r\n"
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		b += "--bb\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	return b + "--bb--\r\n"
}

// whisper is a server that answers with what its prompt says, and tells what it
// was asked.
func whisper(t *testing.T) (url string, asked chan string) {
	t.Helper()
	asked = make(chan string, 10)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		file, head, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		sound, err := io.ReadAll(file)
		if err != nil {
			t.Error(err)
		}
		answer := r.FormValue("prompt")
		delete(r.MultipartForm.Value, "prompt")
		asked <- fmt.Sprintf("%s %s %q %v", r.URL.Path, head.Filename, sound, r.MultipartForm.Value)
		write(w, answer)
	}), asked
}

func sounds(url string, t *testing.T) wire.Model {
	m := model("m", endpoint("m:down", "vllm", refuses(t, 503, `{}`)), endpoint("m:a", "vllm", url))
	for i := range m.Endpoints {
		m.Endpoints[i].Pricing = wire.Pricing{Prompt: "1", InputAudio: "100", Completion: "2"}
	}
	return m
}

func TestTranscriptions(t *testing.T) {
	url, asked := whisper(t)
	n := start(t, nodeOptions{}, sounds(url, t))
	events := 0
	f := func(format, upstream, contentType, want, event string) {
		t.Helper()
		r := n.do("POST", "/v1/audio/transcriptions", upload("model=m", "timestamp_granularities[]=word", "timestamp_granularities[]=segment", `provider={"order":["VLLM"]}`,
			"response_format="+format, "prompt="+upstream), "Content-Type", formType)
		if r.StatusCode != 200 || r.body != want || r.Header.Get("Content-Type") != contentType {
			t.Errorf("%s: %d %s %s, want %s", format, r.StatusCode, r.Header.Get("Content-Type"), r.body, want)
		}
		if got, want := <-asked, `/v1/audio/transcriptions a.mp3 "\x00\xff sound" map[model:[up-m:a] response_format:[`+format+`] timestamp_granularities[]:[word segment]]`; got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
		u := n.event(events)
		events++
		if got := fmt.Sprint(u.API, " ", u.InputAudioTokens, "/", u.PromptTokens, " ", u.CompletionTokens, " ", u.CostUSD, " ", u.UsageSource, " ", u.End); got != event {
			t.Errorf("%s: %s, want %s", format, got, event)
		}
	}
	const plain, object = "text/plain; charset=utf-8", "application/json"
	f("json", `{"text":"Hé","usage":{"type":"duration","seconds":7}}`, object, `{"text":"Hé","usage":{"cost":0.0007,"type":"duration","seconds":7}}`, "transcriptions 7/7 0 0.0007 provider complete")
	f("json", ` {"text":"x","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":5,"total_tokens":19}}`, object,
		`{"text":"x","usage":{"cost":0.001014,"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},"output_tokens":5,"total_tokens":19}}`, "transcriptions 10/14 5 0.001014 provider complete")
	f("verbose_json", `{"task":"transcribe","duration":8.2,"text":"x","segments":[{"id":0}]}`, object, `{"task":"transcribe","duration":8.2,"text":"x","segments":[{"id":0}]}`, "transcriptions 9/9 0 0.0009 provider complete")
	f("json", `{"text":"fifteen letters, and ten more"}`, object, `{"text":"fifteen letters, and ten more"}`, "transcriptions 2/2 0 0.0002 estimated complete")
	f("text", "{said} plainly\n", plain, "{said} plainly\n", "transcriptions 2/2 0 0.0002 estimated complete")
	f("text", `{"text":"as \"vLLM\" does","usage":{"type":"duration","seconds":3}}`, plain, "as \"vLLM\" does\n", "transcriptions 3/3 0 0.0003 provider complete")
	f("srt", "1\n00:00:00,000 --> 00:01:02,500\nHi\n\n", plain, "1\n00:00:00,000 --> 00:01:02,500\nHi\n\n", "transcriptions 63/63 0 0.0063 estimated complete")
	f("vtt", "WEBVTT\n\n00:00.000 --> 01:00:02.000 align:left\nHi\n", plain, "WEBVTT\n\n00:00.000 --> 01:00:02.000 align:left\nHi\n", "transcriptions 3602/3602 0 0.3602 estimated complete")
}

func TestTranscriptionStreams(t *testing.T) {
	url, _ := whisper(t)
	n := start(t, nodeOptions{}, sounds(url, t))
	events := 0
	f := func(upstream, want, event string) {
		t.Helper()
		r := n.do("POST", "/v1/audio/transcriptions", upload("model=m", "stream=true", "prompt="+upstream), "Content-Type", formType)
		if r.StatusCode != 200 || r.body != want || r.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%d %s, want %s", r.StatusCode, r.body, want)
		}
		u := n.event(events)
		events++
		if got := fmt.Sprint(u.Stream, " ", u.InputAudioTokens, "/", u.PromptTokens, " ", u.CompletionTokens, " ", u.UsageSource, " ", u.End); got != event {
			t.Errorf("%s, want %s", got, event)
		}
	}
	const first, second = `data: {"type":"transcript.text.delta","delta":"On","logprobs":[]}` + "\n\n", `data: {"type":"transcript.text.delta","delta":"e \ud83d"}` + "\n\n"
	f(first+second+`data: {"type":"transcript.text.done","text":"One","usage":{"type":"tokens","input_tokens":14,"output_tokens":4,"input_token_details":{"audio_tokens":12}}}`+"\n\n",
		first+second+`data: {"type":"transcript.text.done","text":"One","usage":{"cost":0.00121,"type":"tokens","input_tokens":14,"output_tokens":4,"input_token_details":{"audio_tokens":12}}}`+"\n\n", "true 12/14 4 provider complete")
	const chunks = `data: {"object":"transcription.chunk","choices":[{"delta":{"content":"On"},"finish_reason":null}]}` + "\n\n" + `data: {"choices":[{"delta":{"content":"e"},"finish_reason":"stop"}]}` + "\n\n"
	const translated = `data: {"type":"transcript.text.delta","delta":"On"}` + "\n\n" + `data: {"type":"transcript.text.delta","delta":"e"}` + "\n\n"
	f(chunks+`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}`+"\n\ndata: [DONE]\n\n",
		translated+`data: {"type":"transcript.text.done","text":"One","usage":{"type":"tokens","input_tokens":9,"output_tokens":2,"total_tokens":11,"cost":0.000013}}`+"\n\n", "true 0/9 2 provider complete")
	f(chunks, translated+`data: {"type":"transcript.text.done","text":"One"}`+"\n\n", "true 1/1 0 estimated complete")
	f(`{"text":"not streamed","usage":{"type":"duration","seconds":2}}`, `data: {"type":"transcript.text.delta","delta":"not streamed"}`+"\n\n"+
		`data: {"type":"transcript.text.done","text":"not streamed","usage":{"type":"tokens","input_tokens":2,"output_tokens":0,"total_tokens":2,"cost":0.0002}}`+"\n\n", "true 2/2 0 provider complete")
	for _, broken := range []string{first, first + "data: {\"error\":{\"message\":\"The model is overloaded\"}}\n\n", first + "data: nothing\n\n"} {
		r := n.do("POST", "/v1/audio/transcriptions", upload("model=m", "stream=true", "prompt="+broken), "Content-Type", formType)
		if r.StatusCode != 200 || !strings.HasPrefix(r.body, first+`data: {"error":{"code":5`) {
			t.Errorf("%s: %d %s", broken, r.StatusCode, r.body)
		}
		if u := n.event(events); u.End != wire.EndUpstreamError || u.InputAudioTokens != 1 || u.UsageSource != wire.UsageEstimated {
			t.Errorf("%+v", u)
		}
		events++
	}
}

func TestWhatIsNoTranscription(t *testing.T) {
	url, _ := whisper(t)
	n := start(t, nodeOptions{breaker: upstream.BreakerSettings{Threshold: 100}}, model("m", endpoint("m:a", "vllm", url)), model("c", endpoint("c:a", "anthropic", url)))
	f := func(status int, want, contentType, body string) {
		t.Helper()
		if r := n.do("POST", "/v1/audio/transcriptions", body, "Content-Type", contentType); r.StatusCode != status || !strings.Contains(r.body, want) {
			t.Errorf("%d %s, want %d %s", r.StatusCode, r.body, status, want)
		}
	}
	f(400, "must be multipart/form-data with a boundary, got \\\"application/json\\\"", "application/json", `{"model":"m"}`)
	f(400, "boundary must be 1 to 70", "multipart/form-data", upload("model=m"))
	f(400, "does not start with the boundary", "multipart/form-data; boundary=x", upload("model=m"))
	f(400, "truncated", formType, strings.TrimSuffix(upload("model=m"), "--bb--\r\n"))
	f(400, "model: duplicate field", formType, upload("model=m", "model=c"))
	f(400, "Model: unknown field; did you mean model?", formType, upload("model=m", "Model=c"))
	f(400, "file: duplicate field", formType, upload("file=x"))
	f(400, "file: required", formType, "--bb\r\nContent-Disposition: form-data; name=model\r\n\r\nm\r\n--bb--")
	f(400, "file: must be a file with a name", formType, "--bb\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--bb--")
	f(400, "model: must not be a file", formType, "--bb\r\nContent-Disposition: form-data; name=model; filename=m\r\n\r\nx\r\n--bb--")
	f(400, "model: must not be empty", formType, upload("model="))
	f(400, "none", formType, upload("model=none"))
	f(400, "does not support audio/transcriptions", formType, upload("model=c"))
	f(400, `stream: must be true or false, got \"1\"`, formType, upload("model=m", "stream=1"))
	f(400, "response_format: must be one of json, text", formType, upload("model=m", "response_format=xml"))
	f(400, "a stream is JSON; srt cannot be streamed", formType, upload("model=m", "response_format=srt", "stream=true"))
	f(400, "temperature: must be a number from 0 to 1", formType, upload("model=m", "temperature=NaN"))
	f(400, "provider: must be a JSON object", formType, upload("model=m", "provider=VLLM"))
	f(503, "The model is overloaded", formType, upload("model=m", `prompt={"error":{"message":"The model is overloaded","type":"overloaded_error"}}`))
	f(503, "The model is overloaded", formType, upload("model=m", "stream=true", `prompt={"error":{"message":"The model is overloaded","type":"overloaded_error"}}`))
	f(502, "", formType, upload("model=m", "prompt=no JSON"))
	f(502, "", formType, upload("model=m", `prompt={"result":"no text"}`))
}

// An operator's members are fields, in place of the client's.
func TestTranscriptionsWithAnExtraBody(t *testing.T) {
	url, asked := whisper(t)
	e := endpoint("m:a", "vllm", url)
	e.ExtraBody = []byte(`{"language":"de","vad_filter":true}`)
	n := start(t, nodeOptions{}, model("m", e))
	n.do("POST", "/v1/audio/transcriptions", upload("language=en"), "Content-Type", formType)
	if got, want := <-asked, `map[language:[de] model:[up-m:a] vad_filter:[true]]`; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
