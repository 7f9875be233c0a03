package model

import (
	"os"
	"path/filepath"
	"strings"
)

// Libraries is a package of libraries that the GPU build of ONNX Runtime needs.
type Libraries struct {
	Package string            // such as "nvidia-cublas 13.10.0.20"
	Found   map[string]string // paths by name
	Missing []string          // names
}

// driverFolders are where NVIDIA's driver and a CUDA that the system has usually are.
var driverFolders = []string{"/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib",
	"/usr/local/cuda/lib64", "/usr/local/nvidia/lib64", "/usr/lib/wsl/lib"}

// GPULibraries looks for what onnx-cuda needs: in the folder of the runtime, in those of
// LD_LIBRARY_PATH, and where the system has it. Code: BackendUnavailable (no GPU build for
// this platform).
func (s *Store) GPULibraries() ([]Libraries, error) {
	r, err := s.runtimeEntry(gpuRuntimes[0])
	if err != nil {
		return nil, err
	}
	if path, err := s.CUDARuntime(); err == nil {
		for _, name := range gpuRuntimes {
			if other, err := s.runtimeEntry(name); err == nil && s.runtimeFolder(other) == filepath.Dir(path) {
				r = other
			}
		}
	}
	folders := append([]string{s.runtimeFolder(r)}, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	folders = append(folders, driverFolders...)
	var all []Libraries
	for i, part := range append([]Part{{r.Package, r.Files}}, r.Parts...) {
		where := folders
		if i == 0 {
			where = folders[:1] // its own files lie together
		}
		all = append(all, look(strings.ReplaceAll(part.PIP, "==", " "), part.Files, where))
	}
	return append(all, look("NVIDIA's driver", []RuntimeFile{{Name: "libcuda.so.1"}}, folders)), nil
}

func look(name string, files []RuntimeFile, folders []string) Libraries {
	l := Libraries{Package: name, Found: map[string]string{}}
	for _, file := range files {
		if path := firstIn(folders, file.Name); path != "" {
			l.Found[file.Name] = path
		} else {
			l.Missing = append(l.Missing, file.Name)
		}
	}
	return l
}

func firstIn(folders []string, name string) string {
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		path := filepath.Join(folder, name)
		if _, err := os.Stat(path); err == nil { //nolint:gosec // folders of the operator's own environment
			return path
		}
	}
	return ""
}
