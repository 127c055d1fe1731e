package messages

import (
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendError appends the error object of this API.
func appendError(dst []byte, p *problem.Problem) []byte {
	dst = append(append(dst, `{"type":"error","error":{"type":"`...), errorType(p.Status)...)
	dst = rawjson.AppendString(append(dst, `","message":`...), p.Message)
	dst = append(dst, '}')
	if p.RequestID != "" {
		dst = rawjson.AppendString(append(dst, `,"request_id":`...), p.RequestID)
	}
	return append(dst, '}')
}

// errorType returns this API's class for a client's status.
func errorType(status int) string {
	switch status {
	case 400, 409, 412, 422:
		return "invalid_request_error"
	case 401:
		return "authentication_error"
	case 402:
		return "billing_error"
	case 403:
		return "permission_error"
	case 404, 405:
		return "not_found_error"
	case 408, 504, 524:
		return "timeout_error"
	case 413:
		return "request_too_large"
	case 429:
		return "rate_limit_error"
	case 503, 529:
		return "overloaded_error"
	}
	return "api_error"
}
