// Command open-inference is the backend for more than one machine: it runs no model
// itself but sends pictures to servers that speak the Open Inference Protocol v2
// over gRPC, such as NVIDIA Triton, KServe, OpenVINO Model Server and MLServer.
// They serve the same model files as onnx-cpu.
package main

//go:generate protoc -I ../.. --go_out=../.. --go_opt=module=bgremover.pro --go-grpc_out=../.. --go-grpc_opt=module=bgremover.pro plugins/openinference/oip/oip.proto

import (
	"flag"
	"fmt"
	"os"
	"time"

	"bgremover.pro/plugins/contract"
)

func main() {
	var o options
	flag.Func("endpoint", "server, as grpc://HOST:PORT, or grpcs://HOST:PORT for TLS; may repeat", func(s string) error {
		o.endpoints = append(o.endpoints, s)
		return nil
	})
	flag.StringVar(&o.model, "model", "{model}", "name of a model on the servers; {model} and {size} stand for the requested ones")
	flag.StringVar(&o.ca, "ca", "", "PEM file of the certificate authorities to trust; empty: the system's")
	flag.StringVar(&o.cert, "cert", "", "PEM file of a certificate to show to servers that want one, read again for each connection")
	flag.StringVar(&o.key, "key", "", "PEM file of its private key")
	flag.StringVar(&o.token, "token-file", "", "file with a bearer token, read again for each call")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "time for one server to answer before the next is tried")
	flag.Parse()
	log := contract.NewLogger()
	servers, err := dial(o, log)
	if err != nil {
		fmt.Fprintln(os.Stderr, "open-inference:", err)
		os.Exit(2)
	}
	contract.Serve(newBackend(servers, o.model))
}
