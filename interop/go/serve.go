package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// serve listens, prints {"listening": ...} once the socket accepts, and runs until the process is ended. With
// parentPipe it also ends when standard input closes, so that no server outlives the test run that started it.
func serve(listen string, parentPipe bool, handler http.Handler, extra map[string]any) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	line := map[string]any{"listening": "http://" + listener.Addr().String(), "pid": os.Getpid()}
	for key, value := range extra {
		line[key] = value
	}
	if err := printJSON(line); err != nil {
		return err
	}
	if parentPipe {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 60 * time.Second}
	return server.Serve(listener)
}

func newTransport() *http.Transport {
	return &http.Transport{
		MaxIdleConns:          1024,
		MaxIdleConnsPerHost:   1024,
		IdleConnTimeout:       60 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		DisableCompression:    true,
	}
}
