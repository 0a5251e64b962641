package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	ohttp "github.com/chris-wood/ohttp-go"
)

const (
	keysType     = "application/ohttp-keys"
	requestType  = "message/ohttp-req"
	responseType = "message/ohttp-res"
	maxBody      = 16 << 20
)

type gateway struct {
	configs []ohttp.PrivateConfig
	target  *url.URL
	client  *http.Client
}

func runGateway(args []string) error {
	flags := flag.NewFlagSet("gateway", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address and port")
	target := flags.String("target", "", "base URL every inner request is sent to; empty: answer by echo in this process")
	kems := flags.String("kems", "x25519,xwing", "one key per name: x25519, p256, p384, p521, xwing")
	kdf := flags.Uint("kdf", 1, "HPKE KDF id")
	aead := flags.Uint("aead", 1, "HPKE AEAD id")
	parentPipe := flags.Bool("parent-pipe", false, "end when standard input closes")
	_ = flags.Parse(args)

	configs, err := newConfigs(*kems, *kdf, *aead)
	if err != nil {
		return err
	}
	g := &gateway{configs: configs}
	if *target != "" {
		if g.target, err = url.Parse(*target); err != nil {
			return err
		}
		g.client = &http.Client{
			Transport:     newTransport(),
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ohttp-keys", g.keys)
	mux.HandleFunc("POST /gateway", g.exchange(g.answer))
	mux.HandleFunc("POST /gateway-echo", g.exchange(func(request []byte) ([]byte, error) { return request, nil }))
	return serve(*listen, *parentPipe, mux, map[string]any{"keys": "/ohttp-keys", "gateway": "/gateway"})
}

// peer makes a fresh ohttp.Gateway for each request: the module appends to its label slices in place, so that one
// object used by two requests at once can corrupt the HPKE info of both.
func (g *gateway) peer() ohttp.Gateway { return ohttp.NewDefaultGateway(g.configs) }

func (g *gateway) keys(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", keysType)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(g.peer().MarshalConfigs())
}

func (g *gateway) exchange(answer func([]byte) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != requestType {
			http.Error(w, "expected "+requestType, http.StatusUnsupportedMediaType)
			return
		}
		message, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "cannot read request", http.StatusRequestEntityTooLarge)
			return
		}
		encapsulated, err := ohttp.UnmarshalEncapsulatedRequest(message)
		if err != nil {
			http.Error(w, "cannot parse request", http.StatusBadRequest)
			return
		}
		peer := g.peer()
		if !peer.MatchesConfig(encapsulated) {
			http.Error(w, "unknown key id", http.StatusUnauthorized)
			return
		}
		request, context, err := peer.DecapsulateRequest(encapsulated)
		if err != nil {
			http.Error(w, "cannot open request", http.StatusBadRequest)
			return
		}
		response, err := answer(request)
		if err != nil {
			response, err = binaryResponse(http.StatusBadRequest, nil, strings.NewReader(err.Error()))
		}
		if err != nil {
			http.Error(w, "cannot answer", http.StatusInternalServerError)
			return
		}
		sealed, err := context.EncapsulateResponse(response)
		if err != nil {
			http.Error(w, "cannot seal response", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", responseType)
		_, _ = w.Write(sealed.Marshal())
	}
}

// answer sends the inner request to the target, or reflects it when there is none.
func (g *gateway) answer(raw []byte) ([]byte, error) {
	request, err := ohttp.UnmarshalBinaryRequest(raw)
	if err != nil {
		return nil, err
	}
	if g.target == nil {
		return echo(request)
	}
	outgoing, err := http.NewRequest(request.Method, g.target.Scheme+"://"+g.target.Host+request.URL.RequestURI(), request.Body)
	if err != nil {
		return nil, err
	}
	outgoing.Header = request.Header
	outgoing.Host = request.URL.Host
	outgoing.ContentLength = request.ContentLength
	response, err := g.client.Do(outgoing)
	if err != nil {
		return binaryResponse(http.StatusBadGateway, nil, nil)
	}
	defer response.Body.Close()
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"} {
		response.Header.Del(name)
	}
	return binaryResponse(response.StatusCode, response.Header, response.Body)
}

func echo(request *http.Request) ([]byte, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("X-Seen-Method", request.Method)
	header.Set("X-Seen-Url", request.URL.String())
	header.Set("X-Seen-Fields", fmt.Sprint(len(request.Header)))
	if value := request.Header.Get("X-Probe"); value != "" {
		header.Set("X-Probe", value)
	}
	if value := request.Header.Get("Content-Type"); value != "" {
		header.Set("Content-Type", value)
	}
	return binaryResponse(http.StatusOK, header, bytes.NewReader(body))
}

func binaryResponse(status int, header http.Header, body io.Reader) ([]byte, error) {
	response := http.Response{StatusCode: status, Header: header}
	if body != nil {
		response.Body = io.NopCloser(body)
	}
	binary := ohttp.CreateBinaryResponse(&response)
	return binary.Marshal()
}
