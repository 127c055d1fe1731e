package api

import (
	"bytes"
	"encoding/base64"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// sealed marks what this gateway has put into a member that clients bring back
// without looking into it.
const sealed = "gw1."

// AppendSealed appends a JSON value as a string literal that clients treat as
// opaque: reasoning of a provider whose signature or ciphertext has to come
// back as it was, in an API that has no place for it.
func AppendSealed(dst, value []byte) []byte {
	dst = append(append(dst, '"'), sealed...)
	dst = base64.RawURLEncoding.AppendEncode(dst, value)
	return append(dst, '"')
}

// Unseal returns the JSON value in a literal that AppendSealed has made, nil
// for any other literal.
func Unseal(literal []byte) []byte {
	text, ok := bytes.CutPrefix(rawjson.Inner(literal), []byte(sealed))
	if !ok {
		return nil
	}
	value, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || rawjson.Valid(value) != nil {
		return nil
	}
	return value
}
