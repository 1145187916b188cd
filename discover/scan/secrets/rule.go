package secrets

import "github.com/leeward-ctem/leeward/exposure"

// rule is a kind of secret.
type rule struct {
	name     string // after the engine's
	title    string
	severity exposure.Severity
	sure     int // confidence where it stands in a file that is in use
	fix      string
}

const (
	fixToken    = "Revoke it at the service that issued it, issue a new one, and keep that in a secret store or in the environment of the process. Removing the line is not enough: whoever has a copy has the secret."
	fixPassword = "Change it, and keep the new one in a secret store or in the environment of the process. Removing the line is not enough: whoever has a copy has the password."
	fixKey      = "Make a new pair of keys, replace the public key wherever the old one is trusted, and keep the new private key out of repositories and images."
)

// rules by name.
func rules() map[string]*rule {
	all := map[string]*rule{}
	for _, r := range []rule{
		{"private-key", "Private key", exposure.SeverityHigh, 90, fixKey},
		{"encrypted-private-key", "Private key under a pass phrase", exposure.SeverityMedium, 80, fixKey},
		{"aws-access-key", "AWS access key", exposure.SeverityCritical, 90, fixToken},
		{"aws-secret-key", "AWS secret access key", exposure.SeverityCritical, 85, fixToken},
		{"azure-storage-key", "Azure storage account key", exposure.SeverityCritical, 90, fixToken},
		{"gcp-service-account-key", "Google Cloud service account key", exposure.SeverityCritical, 95, fixToken},
		{"google-key", "Google API key or OAuth secret", exposure.SeverityHigh, 85, fixToken},
		{"github-token", "GitHub token", exposure.SeverityCritical, 90, fixToken},
		{"gitlab-token", "GitLab token", exposure.SeverityCritical, 90, fixToken},
		{"slack-token", "Slack token", exposure.SeverityHigh, 90, fixToken},
		{"stripe-key", "Stripe key", exposure.SeverityHigh, 90, fixToken},
		{"npm-token", "npm token", exposure.SeverityHigh, 90, fixToken},
		{"pypi-token", "PyPI token", exposure.SeverityHigh, 90, fixToken},
		{"rubygems-token", "RubyGems key", exposure.SeverityHigh, 90, fixToken},
		{"packagist-token", "Packagist token", exposure.SeverityHigh, 90, fixToken},
		{"docker-hub-token", "Docker Hub token", exposure.SeverityHigh, 90, fixToken},
		{"registry-credentials", "Credentials of a package or image registry", exposure.SeverityHigh, 80, fixToken},
		{"openai-key", "OpenAI key", exposure.SeverityHigh, 90, fixToken},
		{"anthropic-key", "Anthropic key", exposure.SeverityHigh, 90, fixToken},
		{"model-key", "Key of a model provider", exposure.SeverityHigh, 90, fixToken},
		{"hugging-face-token", "Hugging Face token", exposure.SeverityHigh, 85, fixToken},
		{"vault-token", "HashiCorp Vault or Cloud Platform token", exposure.SeverityCritical, 85, fixToken},
		{"digitalocean-token", "DigitalOcean token", exposure.SeverityCritical, 90, fixToken},
		{"cloudflare-token", "Cloudflare token", exposure.SeverityHigh, 80, fixToken},
		{"heroku-key", "Heroku key", exposure.SeverityHigh, 90, fixToken},
		{"deno-token", "Deno token", exposure.SeverityHigh, 90, fixToken},
		{"supabase-key", "Supabase key", exposure.SeverityHigh, 90, fixToken},
		{"circleci-token", "CircleCI token", exposure.SeverityHigh, 90, fixToken},
		{"elastic-key", "Elastic Cloud key", exposure.SeverityHigh, 90, fixToken},
		{"discord-token", "Discord bot token", exposure.SeverityMedium, 80, fixToken},
		{"telegram-token", "Telegram bot token", exposure.SeverityMedium, 85, fixToken},
		{"postman-key", "Postman key", exposure.SeverityHigh, 90, fixToken},
		{"paystack-key", "Paystack key", exposure.SeverityHigh, 85, fixToken},
		{"square-secret", "Square application secret", exposure.SeverityHigh, 85, fixToken},
		{"salesforce-token", "Salesforce token", exposure.SeverityHigh, 85, fixToken},
		{"sendgrid-key", "SendGrid key", exposure.SeverityHigh, 90, fixToken},
		{"1password-key", "1Password key", exposure.SeverityCritical, 90, fixToken},
		{"recaptcha-secret", "reCAPTCHA secret", exposure.SeverityMedium, 75, fixToken},
		{"vapid-key", "Private key of web push", exposure.SeverityMedium, 75, fixKey},
		{"api-key", "API key of a known service", exposure.SeverityHigh, 85, fixToken},
		{"webhook-url", "Address of a webhook, which is a secret", exposure.SeverityMedium, 85, fixToken},
		{"long-lived-jwt", "JSON Web Token that is valid for long", exposure.SeverityHigh, 75, "Let tokens expire within hours, revoke this one or change the key that it is signed with, and keep tokens out of files."},
		{"connection-string", "Password in the address of a database or message broker", exposure.SeverityHigh, 80, fixPassword},
		{"url-password", "Password in an address", exposure.SeverityHigh, 75, fixPassword},
		{"netrc-password", "Password in .netrc", exposure.SeverityHigh, 85, fixPassword},
		{"password", "Password in a file", exposure.SeverityHigh, 60, fixPassword},
		{"password-hash", "Password hash in a file", exposure.SeverityMedium, 60, "Change the password, and keep hashes out of repositories and images: short passwords are guessed from them."},
		{"generic-secret", "Key, token or secret of an unknown service", exposure.SeverityHigh, 60, fixToken},
	} {
		all[r.name] = &r
	}
	return all
}
