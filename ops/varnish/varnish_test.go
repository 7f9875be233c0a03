// Package varnish_test runs the cases of varnishtest on the configuration.
package varnish_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func TestCases(t *testing.T) {
	vcl, err := filepath.Abs("bgremover.vcl")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := filepath.Glob("*.vtc")
	if err != nil || len(cases) < 4 {
		t.Fatalf("cases: %v, %v", cases, err)
	}
	for _, file := range cases {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if out, err := exec.Command("varnishtest", "-q", "-t", "120", "-Dvcl="+vcl, file).CombinedOutput(); err != nil {
				t.Errorf("varnishtest (Debian's package varnish): %v\n%s", err, out)
			}
		})
	}
}
