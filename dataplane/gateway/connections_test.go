package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/gateway"
)

// TestSilentConnectionsDoNotHoldAStop: a node that stops waits for requests,
// not for clients that have connected and say nothing, or half of a head. A
// request whose head is complete is waited for, also if its body has not begun.
func TestSilentConnectionsDoNotHoldAStop(t *testing.T) {
	url, arrived, open := gate(t)
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "openai_compat", url)))
	n.open()
	n.send(n.open(), "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Le")
	var late []net.Conn
	for _, begun := range []int{0, 10} { // bytes of the body
		conn := n.open()
		n.send(conn, fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(ping), ping[:begun]))
		late = append(late, conn)
	}
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
	for i, begun := range []int{0, 10} {
		n.send(late[i], ping[begun:])
		resp, err := http.ReadResponse(bufio.NewReader(late[i]), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("the request whose body is late, after %d bytes, got %d", begun, resp.StatusCode)
		}
	}
	select {
	case <-stopped:
	case <-time.After(20 * time.Second):
		t.Error("the node is held by connections without a request")
	}
}

// TestADeadlineEndsWithItsAnswer: the time that a client has to take an answer is
// over long before its next request, which it is told to go on with all the same.
func TestADeadlineEndsWithItsAnswer(t *testing.T) {
	const stall = 50 * time.Millisecond
	up := answering(t, "hi")
	n := start(t, nodeOptions{gateway: gateway.Options{Stall: stall}}, model("m", endpoint("m:a", "openai_compat", up)))
	conn := n.open()
	br := bufio.NewReader(conn)
	for i, expect := range []string{"", "Expect: 100-continue\r\n"} {
		n.send(conn, fmt.Sprintf("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n", expect, len(ping)))
		if expect != "" {
			resp, err := http.ReadResponse(br, nil)
			if err != nil || resp.StatusCode != http.StatusContinue {
				t.Fatalf("request %d was not told to go on: %v, %v", i, resp, err)
			}
			_ = resp.Body.Close() // it has none
		}
		n.send(conn, ping)
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("request %d: %v, %v", i, resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()   // which was read
		<-time.After(2 * stall) // the deadline has to pass: it belongs to the kernel
	}
}
