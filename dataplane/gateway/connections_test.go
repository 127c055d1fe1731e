package gateway_test

import (
	"testing"
	"time"
)

// TestSilentConnectionsDoNotHoldAStop: a node that stops waits for requests,
// not for clients that have connected and say nothing, or half of a head.
func TestSilentConnectionsDoNotHoldAStop(t *testing.T) {
	url, arrived, open := gate(t)
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "openai_compat", url)))
	n.open()
	n.send(n.open(), "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Le")
	answered := make(chan int, 1)
	go func() { answered <- n.chat(ping).StatusCode }()
	<-arrived
	stopped := make(chan time.Duration, 1)
	go func() {
		began := time.Now()
		n.stop()
		stopped <- time.Since(began)
	}()
	select {
	case <-stopped:
		t.Fatal("the node has stopped before its request was answered")
	case <-time.After(2 * time.Second): // longer than those without a request are listened to
	}
	open()
	if status := <-answered; status != 200 {
		t.Errorf("the request got %d", status)
	}
	select {
	case <-stopped:
	case <-time.After(20 * time.Second):
		t.Error("the node is held by connections without a request")
	}
}
