package trufflehog

import (
	"cmp"
	"strings"

	"github.com/leeward-ctem/leeward/discover/record"
	"github.com/leeward-ctem/leeward/discover/term"
	"github.com/leeward-ctem/leeward/exposure"
)

// current reads a finding of version 3.
func current(r *record.Report, v record.Value) error {
	secrets := []string{v.Text("RawV2"), v.Text("Raw")}
	rule := v.Text("DetectorName", "DetectorType")
	if name := v.Text("ExtraData.name"); rule == "CustomRegex" && name != "" {
		rule += " " + name
	}
	o := exposure.Observation{
		Class: "secret", Detection: exposure.DetectionStatic, Confidence: 50, CWEs: []int{798},
		Rule: rule, Description: v.Text("DetectorDescription"), References: term.Links(v.Text("ExtraData.rotation_guide")),
		Location: exposure.Location{Symbol: term.Mark(cmp.Or(secrets[0], secrets[1], v.Text("Redacted")))},
	}
	if rule != "" {
		o.Title = rule + " secret"
	}
	if v.Yes("Verified") { // it let TruffleHog in
		o.Detection, o.Confidence = exposure.DetectionExploit, 100
	}
	for source, data := range v.Members("SourceMetadata.Data") {
		place(&o, source, data)
		if text := note(source, data); text != "" {
			o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "note", Text: term.Masked(text, secrets...)})
		}
	}
	if text := told(v); text != "" {
		o.Evidence = append(o.Evidence, exposure.Evidence{Kind: "output", Text: term.Masked(text, secrets...)})
	}
	r.Weakness(o)
	return nil
}

// place tells where the secret is, by the kind of source.
func place(o *exposure.Observation, source string, data record.Value) {
	o.Location.File, o.Location.Line = term.File(data.Text("file", "filename")), data.Int("line")
	bucket := data.Text("bucket")
	switch {
	case source == "Docker":
		o.Asset = image(data.Text("image"), data.Text("tag"))
	case source == "S3" && bucket != "":
		o.Asset.Kind, o.Asset.Name = exposure.AssetCloudResource, bucket
		o.Asset.Add(exposure.IDCloud, "arn:aws:s3:::"+bucket)
	case source == "GCS" && bucket != "":
		o.Asset.Kind, o.Asset.Name = exposure.AssetCloudResource, bucket
		o.Asset.Add(exposure.IDCloud, "//storage.googleapis.com/projects/_/buckets/"+bucket)
	default:
		o.Asset = term.Repository(data.Text("repository"))
	}
	if o.Location.File == "" { // a message, a page, a build
		link, _, _ := strings.Cut(data.Text("link", "url"), "?")
		o.Location.Resource = cmp.Or(link, data.Text("location", "title", "channel_name"))
	}
}

// image is an image by its name and its tag or digest.
func image(name, tag string) (a exposure.AssetRef) {
	name, digest, _ := strings.Cut(name, "@")
	if strings.HasPrefix(tag, "sha256:") {
		digest, tag = tag, ""
	}
	if name == "" {
		return a
	}
	a.Kind = exposure.AssetImage
	if a.Add(exposure.IDDigest, digest); digest != "" {
		a.Name = name
		return a
	}
	if tag != "" {
		name += ":" + tag
	}
	a.Add(exposure.IDImage, name)
	return a
}

// note tells what else the source says of the place.
func note(source string, data record.Value) string {
	facts := []string{"Source", source}
	for name, value := range data.Members("") {
		if name != "line" && name != "file" {
			facts = append(facts, name, plain(value))
		}
	}
	return term.Facts(facts...)
}

// told is what TruffleHog learnt of the secret.
func told(v record.Value) string {
	facts := []string{"Redacted", v.Text("Redacted"), "Decoder", v.Text("DecoderName"), "Verified", v.Text("Verified"), "Verification error", v.Text("VerificationError")}
	for name, value := range v.Members("ExtraData") {
		facts = append(facts, name, plain(value))
	}
	return term.Facts(facts...)
}

// plain is the text of a value, and nothing for what is no text.
func plain(v record.Value) string {
	if v.IsList() || v.IsObject() {
		return ""
	}
	return v.Text()
}
