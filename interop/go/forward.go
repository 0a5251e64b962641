package main

import (
	"flag"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// runReverseProxy is net/http's own proxy, the yardstick for a relay: it forwards every path to one upstream.
func runReverseProxy(args []string) error {
	flags := flag.NewFlagSet("reverseproxy", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address and port")
	upstream := flags.String("upstream", "", "base URL of the upstream")
	path := flags.String("path", "", "send every request to this path of the upstream; empty keeps the path")
	parentPipe := flags.Bool("parent-pipe", false, "end when standard input closes")
	_ = flags.Parse(args)
	base, err := url.Parse(*upstream)
	if err != nil {
		return err
	}
	proxy := &httputil.ReverseProxy{
		Transport: newTransport(),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(base)
			if *path != "" {
				r.Out.URL.Path = *path
			}
		},
	}
	return serve(*listen, *parentPipe, fullDuplex(proxy), nil)
}

// fullDuplex lets a handler read its request while it answers. Without it the server closes the request's body when the
// answer begins, and a proxy that has yet to see the end of that body gives up the connection it reads the answer from.
func fullDuplex(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only fails for a writer that cannot do it, and net/http's can.
		_ = http.NewResponseController(w).EnableFullDuplex()
		handler.ServeHTTP(w, r)
	})
}

// runTarget answers every request with a fixed body, or with the request's own content on /echo.
func runTarget(args []string) error {
	flags := flag.NewFlagSet("target", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address and port")
	size := flags.Int("size", 0, "bytes of the fixed body; 0 answers with a short JSON text")
	parentPipe := flags.Bool("parent-pipe", false, "end when standard input closes")
	_ = flags.Parse(args)
	body := []byte(`{"ok":true}`)
	if *size > 0 {
		body = []byte(strings.Repeat("t", *size))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("X-Seen-Method", r.Method)
		w.Header().Set("X-Seen-Url", r.URL.RequestURI())
		w.Header().Set("X-Seen-Host", r.Host)
		if value := r.Header.Get("X-Probe"); value != "" {
			w.Header().Set("X-Probe", value)
		}
		content, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return
		}
		_, _ = w.Write(content)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	return serve(*listen, *parentPipe, mux, nil)
}
