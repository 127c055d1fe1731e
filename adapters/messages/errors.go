package messages

import "github.com/hybridinference/gateway/shared/rawjson"

// AppendError appends an error object of this API for a status that a client
// gets; requestID may be empty.
func AppendError(dst []byte, status int, message, requestID string) []byte {
	dst = append(append(dst, `{"type":"error","error":{"type":"`...), ErrorType(status)...)
	dst = rawjson.AppendString(append(dst, `","message":`...), message)
	dst = append(dst, '}')
	if requestID != "" {
		dst = rawjson.AppendString(append(dst, `,"request_id":`...), requestID)
	}
	return append(dst, '}')
}

// ErrorType returns this API's class for a client's status.
func ErrorType(status int) string {
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
