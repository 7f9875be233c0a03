package app

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"bgremover.pro/core/backend"
	"bgremover.pro/core/config"
	"bgremover.pro/core/model"
	"bgremover.pro/plugins/contract"
)

// gpuPictures are in progress on a GPU: while two run together, two are prepared. More
// would also keep as many models in its memory.
const gpuPictures = 4

// backendSpecs lists the bundled backends and those of the configuration; a
// configured one with the name of a bundled one overrides its fields. onnx-cuda is
// listed if the CUDA build of the runtime is installed, or if it was named. Code:
// BackendUnavailable (the runtime is not installed).
func backendSpecs(c *config.Config, store *model.Store) ([]backend.Spec, error) {
	library, err := store.Runtime()
	if err != nil && c.Inference.Backend != "onnx-cuda" && len(c.Backends) == 0 {
		return nil, err
	}
	own := map[string]backend.Spec{
		"onnx-cpu": onnx(c, "onnx-cpu", "cpu", library),
	}
	names := []string{"onnx-cpu"}
	cuda, err := store.CUDARuntime()
	named := slices.ContainsFunc(c.Backends, func(b config.Backend) bool { return b.Name == "onnx-cuda" })
	if err == nil || named || c.Inference.Backend == "onnx-cuda" {
		spec := onnx(c, "onnx-cuda", "cuda", cuda)
		spec.Concurrency = gpuPictures
		if cuda != "" {
			spec.Env = append(spec.Env, GPULibraryPath(cuda))
		}
		own["onnx-cuda"] = spec
		names = append(names, "onnx-cuda")
	}
	for _, b := range c.Backends {
		spec, ours := own[b.Name]
		if !ours {
			names = append(names, b.Name)
		}
		own[b.Name] = overlay(spec, b)
	}
	var specs []backend.Spec
	for _, name := range names {
		specs = append(specs, own[name])
	}
	return specs, nil
}

// GPULibraryPath is the variable that makes the dynamic linker look for CUDA's libraries
// first next to the runtime, then in its usual places.
func GPULibraryPath(library string) string {
	folders := filepath.Dir(library)
	if more := os.Getenv("LD_LIBRARY_PATH"); more != "" {
		folders += string(filepath.ListSeparator) + more
	}
	return "LD_LIBRARY_PATH=" + folders
}

func onnx(c *config.Config, name, device, library string) backend.Spec {
	env := []string{contract.EnvRuntime + "=" + library}
	if c.Inference.Threads > 0 {
		env = append(env, contract.EnvThreads+"="+strconv.Itoa(c.Inference.Threads))
	}
	return backend.Spec{
		Name:    name,
		Command: filepath.Join(PluginDir(c), name),
		Env:     env,
		Device:  device,
		SHA256:  builtSum(PluginDir(c), name),
	}
}

// builtSum returns the checksum that the build wrote next to the bundled backends
// (SHA256SUMS, in sha256sum's format); without that file, none is checked.
func builtSum(dir, name string) string {
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(sums)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[1] == name {
			return fields[0]
		}
	}
	return ""
}

// PluginDir is the folder of the backends' binaries: next to the server's own unless
// configured.
func PluginDir(c *config.Config) string {
	if c.Folders.Plugins != "" {
		return c.Folders.Plugins
	}
	executable, err := os.Executable()
	if err != nil {
		return "plugins"
	}
	return filepath.Join(filepath.Dir(executable), "plugins")
}

// overlay applies the operator's settings to a spec.
func overlay(spec backend.Spec, b config.Backend) backend.Spec {
	spec.Name = b.Name
	if b.Command != "" {
		spec.Command = b.Command
	}
	if b.Args != nil {
		spec.Args = b.Args
	}
	spec.Env = append(spec.Env, b.Env...)
	if b.Device != "" {
		spec.Device = b.Device
	}
	if b.Models != nil {
		spec.Models = b.Models
	}
	if b.Concurrency > 0 {
		spec.Concurrency = b.Concurrency
	}
	if b.SHA256 != "" || b.Command != "" {
		spec.SHA256 = b.SHA256 // our checksum is not for another program
	}
	spec.NoTLS = !b.TLS
	spec.Memory, spec.MaxMemory, spec.StartTimeout = b.Memory, b.MaxMemory, b.StartTimeout
	return spec
}
