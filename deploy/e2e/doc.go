// Package e2e tests the gateway as it is deployed: built binaries, each in its
// own process, with a real NATS server, a real PostgreSQL, and the clients that
// people use. It has no code of its own.
package e2e
