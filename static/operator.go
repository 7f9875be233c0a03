package static

import _ "embed" // for the style below

// OperatorCSS is the operator's page's own style; visitors never load it.
//
//go:embed operator/operator.css
var OperatorCSS []byte
