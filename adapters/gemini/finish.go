package gemini

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// finish sets the finish reason, once for each candidate.
func (s *scope) finish(ev *chat.Event, reason []byte) {
	if len(reason) <= 2 || s.candidate.finished {
		return
	}
	if ev.Finish = finishOf(reason); ev.Finish == chat.NotFinished {
		return
	}
	s.candidate.finished = true
	ev.Native = reason
	switch {
	case ev.Finish == chat.FinishError:
		ev.Fault = fault.New(fault.Unavailable, "The upstream broke off the answer (%s)", rawjson.Inner(reason))
	case ev.Finish == chat.FinishStop && s.candidate.calls > 0:
		ev.Finish = chat.FinishToolCalls // Google has no word of its own for it
	}
}

func finishOf(reason []byte) chat.Finish {
	switch string(rawjson.Inner(reason)) {
	case "FINISH_REASON_UNSPECIFIED":
		return chat.NotFinished
	case "MAX_TOKENS":
		return chat.FinishLength
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
		"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		return chat.FinishContentFilter
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE",
		"OTHER", "LANGUAGE", "NO_IMAGE", "IMAGE_OTHER":
		return chat.FinishError
	}
	return chat.FinishStop
}
