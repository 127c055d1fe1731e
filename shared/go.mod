module github.com/hybridinference/gateway/shared

go 1.26.0


