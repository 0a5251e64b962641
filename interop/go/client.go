package main

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"
	"time"

	ohttp "github.com/chris-wood/ohttp-go"
)

type fieldList []string

func (f *fieldList) String() string         { return strings.Join(*f, ", ") }
func (f *fieldList) Set(value string) error { *f = append(*f, value); return nil }

type clientResult struct {
	OuterStatus int         `json:"outerStatus"`
	OuterType   string      `json:"outerType"`
	Suite       [3]uint16   `json:"suite"`
	Status      int         `json:"status"`
	Headers     [][2]string `json:"headers"`
	Body        string      `json:"body"`
	BodyBytes   int         `json:"bodyBytes"`
	RawHex      string      `json:"rawHex,omitempty"`
}

func runClient(args []string) error {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	keys := flags.String("keys", "", "URL of the key list")
	post := flags.String("post", "", "URL of the relay or gateway resource")
	kemName := flags.String("kem", "x25519", "KEM to choose from the list")
	aead := flags.Uint("aead", 0, "AEAD id to choose; 0 takes the first")
	method := flags.String("method", "GET", "inner method")
	target := flags.String("url", "https://target.test/", "inner URL")
	body := flags.String("body", "", "inner content")
	size := flags.Int("body-size", 0, "inner content of this many bytes instead of --body")
	raw := flags.Bool("raw", false, "print the opened response bytes and do not parse them")
	var fields fieldList
	flags.Var(&fields, "header", "inner field, name:value; repeatable")
	_ = flags.Parse(args)

	kem, err := kemByName(*kemName)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 20 * time.Second}
	list, err := fetchKeys(client, *keys)
	if err != nil {
		return err
	}
	config, err := chooseConfig(list, kem, *aead)
	if err != nil {
		return err
	}
	content := *body
	if *size > 0 {
		content = strings.Repeat("0123456789abcdef", *size/16+1)[:*size]
	}
	plain, err := buildRequest(*method, *target, fields, content)
	if err != nil {
		return err
	}
	encapsulated, context, err := ohttp.NewDefaultClient(config).EncapsulateRequest(plain)
	if err != nil {
		return err
	}
	response, err := client.Post(*post, requestType, bytes.NewReader(encapsulated.Marshal()))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	sealed, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	suite := config.Suites[0]
	result := clientResult{
		OuterStatus: response.StatusCode,
		OuterType:   response.Header.Get("Content-Type"),
		Suite:       [3]uint16{uint16(kem), uint16(suite.KDFID), uint16(suite.AEADID)},
	}
	if response.StatusCode != http.StatusOK || result.OuterType != responseType {
		return fmt.Errorf("outer answer is %d %s: %s", result.OuterStatus, result.OuterType, sealed)
	}
	// The module slices without looking: a response shorter than its nonce would panic.
	if len(sealed) < 32+16 {
		return fmt.Errorf("response is too short")
	}
	parsed, err := ohttp.UnmarshalEncapsulatedResponse(sealed)
	if err != nil {
		return err
	}
	opened, err := context.DecapsulateResponse(parsed)
	if err != nil {
		return err
	}
	if *raw {
		result.RawHex = hex.EncodeToString(opened)
		return printJSON(result)
	}
	return printResponse(result, opened)
}

func fetchKeys(client *http.Client, url string) ([]byte, error) {
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != keysType {
		return nil, fmt.Errorf("key list answer is %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	return io.ReadAll(response.Body)
}

func buildRequest(method, url string, fields []string, body string) ([]byte, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, line := range fields {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("field %q has no colon", line)
		}
		request.Header.Set(name, strings.TrimSpace(value))
	}
	binary := ohttp.BinaryRequest(*request)
	return binary.Marshal()
}

func printResponse(result clientResult, opened []byte) error {
	response, err := ohttp.UnmarshalBinaryResponse(opened)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	result.Status = response.StatusCode
	result.BodyBytes = len(content)
	result.Body = string(content[:min(len(content), 4096)])
	result.Headers = [][2]string{}
	for name, values := range response.Header {
		for _, value := range values {
			result.Headers = append(result.Headers, [2]string{name, value})
		}
	}
	sort.Slice(result.Headers, func(i, j int) bool { return result.Headers[i][0] < result.Headers[j][0] })
	return printJSON(result)
}
