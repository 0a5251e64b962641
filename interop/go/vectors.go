package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	ohttp "github.com/chris-wood/ohttp-go"
	"github.com/cloudflare/circl/hpke"
)

// vectorJob asks for one exchange. op "gateway" opens Message (made elsewhere) and seals Response; op "exchange"
// also makes the request, with this module as client and gateway both.
type vectorJob struct {
	Op       string            `json:"op"`
	KeyID    uint8             `json:"key_id"`
	Kem      uint16            `json:"kem_id"`
	Kdf      uint16            `json:"kdf_id"`
	Aead     uint16            `json:"aead_id"`
	Seed     string            `json:"seed"`
	Message  string            `json:"message"`
	Method   string            `json:"method"`
	URL      string            `json:"url"`
	Headers  []string          `json:"headers"`
	Body     string            `json:"body"`
	Padding  int               `json:"padding"`
	Response *responseTemplate `json:"response"`
	Sealed   string            `json:"response_bytes"`
}

type responseTemplate struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

type vectorResult struct {
	PrivateKey string `json:"skRm"`
	KeyConfig  string `json:"key_config"`
	KeyList    string `json:"ohttp_keys"`
	Request    string `json:"request"`
	Message    string `json:"encapsulated_request"`
	Response   string `json:"response"`
	Sealed     string `json:"encapsulated_response"`
	Error      string `json:"error,omitempty"`
}

// runVectors reads a JSON array of jobs from standard input and writes one result for each.
func runVectors([]string) error {
	var jobs []vectorJob
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		return err
	}
	results := make([]vectorResult, len(jobs))
	for i, job := range jobs {
		result, err := job.run()
		if err != nil {
			result.Error = err.Error()
		}
		results[i] = result
	}
	return printJSON(map[string]any{"versions": versions(), "results": results})
}

func (job vectorJob) run() (vectorResult, error) {
	var result vectorResult
	seed, err := hex.DecodeString(job.Seed)
	if err != nil {
		return result, err
	}
	config, err := newConfig(job.KeyID, hpke.KEM(job.Kem), hpke.KDF(job.Kdf), hpke.AEAD(job.Aead), seed)
	if err != nil {
		return result, err
	}
	secret, err := config.PrivateKey().MarshalBinary()
	if err != nil {
		return result, err
	}
	gateway := ohttp.NewDefaultGateway([]ohttp.PrivateConfig{config})
	result.PrivateKey = hex.EncodeToString(secret)
	result.KeyConfig = hex.EncodeToString(config.Config().Marshal())
	result.KeyList = hex.EncodeToString(gateway.MarshalConfigs())

	message, open, err := job.message(config)
	if err != nil {
		return result, err
	}
	result.Message = hex.EncodeToString(message)
	encapsulated, err := ohttp.UnmarshalEncapsulatedRequest(message)
	if err != nil {
		return result, err
	}
	request, context, err := gateway.DecapsulateRequest(encapsulated)
	if err != nil {
		return result, err
	}
	result.Request = hex.EncodeToString(request)
	response, err := job.response()
	if err != nil {
		return result, err
	}
	sealed, err := context.EncapsulateResponse(response)
	if err != nil {
		return result, err
	}
	result.Response = hex.EncodeToString(response)
	result.Sealed = hex.EncodeToString(sealed.Marshal())
	if open == nil {
		return result, nil
	}
	parsed, err := ohttp.UnmarshalEncapsulatedResponse(sealed.Marshal())
	if err != nil {
		return result, err
	}
	opened, err := open.DecapsulateResponse(parsed)
	if err == nil && !bytes.Equal(opened, response) {
		err = fmt.Errorf("response does not round-trip")
	}
	return result, err
}

func (job vectorJob) message(config ohttp.PrivateConfig) ([]byte, *ohttp.EncapsulatedRequestContext, error) {
	if job.Op == "gateway" {
		message, err := hex.DecodeString(job.Message)
		return message, nil, err
	}
	plain, err := buildRequest(job.Method, job.URL, job.Headers, job.Body)
	if err != nil {
		return nil, nil, err
	}
	plain = append(plain, make([]byte, job.Padding)...)
	encapsulated, context, err := ohttp.NewDefaultClient(config.Config()).EncapsulateRequest(plain)
	return encapsulated.Marshal(), &context, err
}

func (job vectorJob) response() ([]byte, error) {
	if job.Response == nil {
		return hex.DecodeString(job.Sealed)
	}
	return binaryResponse(job.Response.Status, nil, bytes.NewReader([]byte(job.Response.Body)))
}
