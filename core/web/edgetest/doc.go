// Package edgetest puts real caches in front of the public listener: Varnish with its
// built-in rules and with ours, nginx with our configuration and with a hostile one, and
// Caddy. Only the pipeline behind it is a stand-in. ops/edge.md has the findings.
package edgetest
