package bench

import (
	"embed"
	"regexp"
	"slices"
	"strings"

	"bgremover.pro/core/cutout"
)

// program is a peer that can be asked for: how it is installed and started.
type program struct {
	name  string // in flags and reports
	title string // what it is, with its version
	// folder has its files here in peers/ and, below the folder for peers, on
	// the machine; manifest names the packages and versions to install,
	// packages the folder that they are installed into.
	folder, manifest, packages string
	// client installs the packages, without running any script of theirs.
	client []string
	// reason finds, in what client wrote, why it failed.
	reason *regexp.Regexp
	// needs lists programs that must be on the path, and their Debian packages.
	needs [][2]string
	// command starts it in its folder, where the installed model lies as
	// modelLink if it takes one.
	command, environ []string
	takesModel       bool
}

const modelLink = "isnet.onnx"

//go:embed peers
var peerFiles embed.FS

// imgly asks for a version of sharp whose native part does not come from npm; the manifest
// overrides it with one that npm has.
var imgly = program{
	name: "imgly", title: "@imgly/background-removal-node 1.4.5",
	folder: "imgly", manifest: "package.json", packages: "node_modules",
	client:  []string{"npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"},
	reason:  regexp.MustCompile(`(?m)^npm (?:error|ERR!) (.+)$`),
	needs:   [][2]string{{"node", "nodejs"}, {"npm", "npm"}},
	command: []string{"node", "peer.mjs"},
}

// rembg runs the installed model, which it accepts below U2NET_HOME only.
var rembg = program{
	name: "rembg", title: "rembg 2.0.86",
	folder: "rembg", manifest: "requirements.txt", packages: "packages",
	client: []string{"python3", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input",
		"--no-deps", "--only-binary=:all:", "--target=packages", "--requirement=requirements.txt"},
	reason:  regexp.MustCompile(`(?m)^(?:ERROR|.*python3?): (.+)$`),
	needs:   [][2]string{{"python3", "python3 python3-pip"}},
	command: []string{"python3", "-s", "-P", "peer.py", modelLink},
	environ: []string{"PYTHONPATH=packages", "U2NET_HOME=."}, takesModel: true,
}

// programs lists all peers.
var programs = []program{imgly, rembg, rembgMatting()}

// rembgMatting is the same installation, asked for its alpha matting.
func rembgMatting() program {
	matting := rembg
	matting.name, matting.title = "rembg-matting", rembg.title+" with alpha matting"
	matting.command = append(slices.Clone(rembg.command), "matting")
	return matting
}

// PeerTitle says what a peer is. Code: Invalid (there is none of that name).
func PeerTitle(name string) (string, error) {
	p, err := findProgram(name)
	return p.title, err
}

func findProgram(name string) (program, error) {
	var names []string
	for _, p := range programs {
		if p.name == name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return program{}, cutout.Errorf(cutout.Invalid, "There is no peer %q to compare with; there are %s.", name, strings.Join(names, ", "))
}
