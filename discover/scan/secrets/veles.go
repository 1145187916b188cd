package secrets

import (
	"github.com/google/osv-scalibr/veles"
	"github.com/google/osv-scalibr/veles/secrets/anthropicapikey"
	"github.com/google/osv-scalibr/veles/secrets/azurestorageaccountaccesskey"
	"github.com/google/osv-scalibr/veles/secrets/circleci"
	"github.com/google/osv-scalibr/veles/secrets/cloudflareapitoken"
	"github.com/google/osv-scalibr/veles/secrets/cursorapikey"
	"github.com/google/osv-scalibr/veles/secrets/denopat"
	"github.com/google/osv-scalibr/veles/secrets/digitaloceanapikey"
	"github.com/google/osv-scalibr/veles/secrets/discordbottoken"
	"github.com/google/osv-scalibr/veles/secrets/dockerhubpat"
	"github.com/google/osv-scalibr/veles/secrets/elasticcloudapikey"
	"github.com/google/osv-scalibr/veles/secrets/gcpexpressmode"
	"github.com/google/osv-scalibr/veles/secrets/gcpsak"
	"github.com/google/osv-scalibr/veles/secrets/github"
	"github.com/google/osv-scalibr/veles/secrets/gitlabpat"
	"github.com/google/osv-scalibr/veles/secrets/grokxaiapikey"
	"github.com/google/osv-scalibr/veles/secrets/hashicorpvault"
	"github.com/google/osv-scalibr/veles/secrets/hcp"
	"github.com/google/osv-scalibr/veles/secrets/herokuplatformkey"
	"github.com/google/osv-scalibr/veles/secrets/onepasswordkeys"
	"github.com/google/osv-scalibr/veles/secrets/openai"
	"github.com/google/osv-scalibr/veles/secrets/openrouter"
	"github.com/google/osv-scalibr/veles/secrets/packagist"
	"github.com/google/osv-scalibr/veles/secrets/paystacksecretkey"
	"github.com/google/osv-scalibr/veles/secrets/perplexityapikey"
	"github.com/google/osv-scalibr/veles/secrets/postmanapikey"
	"github.com/google/osv-scalibr/veles/secrets/recaptchakey"
	"github.com/google/osv-scalibr/veles/secrets/salesforceoauth2access"
	"github.com/google/osv-scalibr/veles/secrets/slacktoken"
	"github.com/google/osv-scalibr/veles/secrets/squareapikey"
	"github.com/google/osv-scalibr/veles/secrets/supabase"
	"github.com/google/osv-scalibr/veles/secrets/telegrambotapitoken"
	"github.com/google/osv-scalibr/veles/secrets/vapid"
)

// borrowed is a detector of osv-scalibr. Its validators, which ask the services,
// are never called.
type borrowed struct {
	rule  string
	words []string // without one of which it finds nothing; in their own case
	veles.Detector
	value func(veles.Secret) string
}

// of makes a borrowed detector; value is "" for what does not count.
func of[S any](rule string, d veles.Detector, value func(S) string, words ...string) borrowed {
	return borrowed{rule, words, d, func(s veles.Secret) string {
		if typed, ok := s.(S); ok {
			return value(typed)
		}
		return ""
	}}
}

// borrow lists the detectors that know more than a prefix: checksums, structure,
// or what must stand near.
func borrow() []borrowed {
	return []borrowed{
		of("anthropic-key", anthropicapikey.NewDetector(), func(s anthropicapikey.ModelAPIKey) string { return s.Key }, "sk-ant-"),
		of("anthropic-key", anthropicapikey.NewDetector(), func(s anthropicapikey.WorkspaceAPIKey) string { return s.Key }, "sk-ant-admin"),
		of("azure-storage-key", azurestorageaccountaccesskey.NewDetector(), func(s azurestorageaccountaccesskey.AzureStorageAccountAccessKey) string { return s.Key }, "azure", "az storage"),
		of("circleci-token", circleci.NewPersonalAccessTokenDetector(), func(s circleci.PersonalAccessToken) string { return s.Token }, "CCIPAT_"),
		of("circleci-token", circleci.NewProjectTokenDetector(), func(s circleci.ProjectToken) string { return s.Token }, "CCIPRJ_"),
		of("cloudflare-token", cloudflareapitoken.NewDetector(), func(s cloudflareapitoken.CloudflareAPIToken) string { return s.Token }, "CLOUDFLARE_", "cloudflare_", "CF_", "cf_"),
		of("api-key", cursorapikey.NewDetector(), func(s cursorapikey.APIKey) string { return s.Key }, "key_"),
		of("deno-token", denopat.NewUserTokenDetector(), func(s denopat.DenoUserPAT) string { return s.Pat }, "ddp_"),
		of("deno-token", denopat.NewOrgTokenDetector(), func(s denopat.DenoOrgPAT) string { return s.Pat }, "ddo_"),
		of("digitalocean-token", digitaloceanapikey.NewDetector(), func(s digitaloceanapikey.DigitaloceanAPIToken) string { return s.Key }, "dop_v1_"),
		of("discord-token", discordbottoken.NewDetector(), func(s discordbottoken.DiscordBotToken) string { return s.Token }, "discord", "Discord", "DISCORD"),
		of("docker-hub-token", dockerhubpat.NewDetector(), func(s dockerhubpat.DockerHubPAT) string { return s.Pat }, "dckr_pat_"),
		of("elastic-key", elasticcloudapikey.NewDetector(), func(s elasticcloudapikey.ElasticCloudAPIKey) string { return s.Key }, "essu_"),
		of("google-key", gcpexpressmode.NewDetector(), func(s gcpexpressmode.APIKey) string { return s.Key }, "AQ.Ab8R"),
		of("gcp-service-account-key", gcpsak.NewDetector(), func(s gcpsak.GCPSAK) string { return s.PrivateKeyID + string(s.Signature) }, "auth_provider_x509_cert_url", "ewogICJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCIs"),
		of("github-token", github.NewClassicPATDetector(), func(s github.ClassicPersonalAccessToken) string { return s.Token }, "ghp_", "Z2hwX"),
		of("github-token", github.NewFineGrainedPATDetector(), func(s github.FineGrainedPersonalAccessToken) string { return s.Token }, "github_pat_", "Z2l0aHViX3BhdF"),
		of("github-token", github.NewOAuthTokenDetector(), func(s github.OAuthToken) string { return s.Token }, "gho_", "Z2hvX"),
		of("github-token", github.NewAppU2SDetector(), func(s github.AppUserToServerToken) string { return s.Token }, "ghu_", "Z2h1X"),
		of("github-token", github.NewAppS2STokenDetector(), func(s github.AppServerToServerToken) string { return s.Token }, "ghs_", "Z2hzX"),
		of("github-token", github.NewAppRefreshTokenDetector(), func(s github.AppRefreshToken) string { return s.Token }, "ghr_", "Z2hyX"),
		of("gitlab-token", gitlabpat.NewDetector(), func(s gitlabpat.GitlabPAT) string { return s.Pat }, "glpat-"),
		of("model-key", grokxaiapikey.NewAPIKeyDetector(), func(s grokxaiapikey.GrokXAIAPIKey) string { return s.Key }, "xai-"),
		of("model-key", grokxaiapikey.NewManagementKeyDetector(), func(s grokxaiapikey.GrokXAIManagementKey) string { return s.Key }, "xai-token-"),
		of("vault-token", hashicorpvault.NewTokenDetector(), vaultToken, "hvs.", "hvb."),
		of("vault-token", hcp.NewPairDetector(), func(s hcp.ClientCredentials) string { return s.ClientSecret }, "HCP_CLIENT_SECRET", "hcp_client_secret"),
		of("heroku-key", herokuplatformkey.NewSecretKeyDetector(), func(s herokuplatformkey.HerokuSecret) string { return s.Key }, "HRKU-"),
		of("1password-key", onepasswordkeys.NewSecretKeyDetector(), func(s onepasswordkeys.OnePasswordSecretKey) string { return s.Key }, "A3-"),
		of("1password-key", onepasswordkeys.NewServiceTokenDetector(), func(s onepasswordkeys.OnePasswordServiceToken) string { return s.Key }, "ops_eyJ"),
		of("1password-key", onepasswordkeys.NewRecoveryTokenDetector(), func(s onepasswordkeys.OnePasswordRecoveryCode) string { return s.Key }, "1PRK-"),
		of("openai-key", openai.NewDetector(), func(s openai.APIKey) string { return s.Key }, "T3BlbkFJ"),
		of("model-key", openrouter.NewDetector(), func(s openrouter.APIKey) string { return s.Key }, "sk-or-v"),
		of("packagist-token", packagist.NewAPISecretDetector(), func(s packagist.APISecret) string { return s.Secret }, "packagist_acs_"),
		of("packagist-token", packagist.NewOrgReadTokenDetector(), func(s packagist.OrgReadToken) string { return s.Token }, "packagist_ort_"),
		of("packagist-token", packagist.NewOrgUpdateTokenDetector(), func(s packagist.OrgUpdateToken) string { return s.Token }, "packagist_out_"),
		of("packagist-token", packagist.NewUserUpdateTokenDetector(), func(s packagist.UserUpdateToken) string { return s.Token }, "packagist_uut_"),
		of("packagist-token", packagist.NewConductorUpdateTokenDetector(), func(s packagist.ConductorUpdateToken) string { return s.Token }, "packagist_cut_"),
		of("paystack-key", paystacksecretkey.NewSecretKeyDetector(), func(s paystacksecretkey.PaystackSecret) string { return s.Key }, "sk_live_", "sk_test_"),
		of("model-key", perplexityapikey.NewDetector(), func(s perplexityapikey.PerplexityAPIKey) string { return s.Key }, "pplx-"),
		of("postman-key", postmanapikey.NewAPIKeyDetector(), func(s postmanapikey.PostmanAPIKey) string { return s.Key }, "PMAK-"),
		of("postman-key", postmanapikey.NewCollectionTokenDetector(), func(s postmanapikey.PostmanCollectionToken) string { return s.Key }, "PMAT-"),
		of("recaptcha-secret", recaptchakey.NewDetector(), func(s recaptchakey.Key) string { return s.Secret }, "captcha", "Captcha", "CAPTCHA"),
		of("salesforce-token", salesforceoauth2access.NewDetector(), func(s salesforceoauth2access.Token) string { return s.Token }, "00D"),
		of("slack-token", slacktoken.NewAppLevelTokenDetector(), func(s slacktoken.SlackAppLevelToken) string { return s.Token }, "xapp-"),
		of("slack-token", slacktoken.NewAppConfigAccessTokenDetector(), func(s slacktoken.SlackAppConfigAccessToken) string { return s.Token }, "xoxe.xoxp-"),
		of("slack-token", slacktoken.NewAppConfigRefreshTokenDetector(), func(s slacktoken.SlackAppConfigRefreshToken) string { return s.Token }, "xoxe-"),
		of("square-secret", squareapikey.NewOAuthApplicationSecretDetector(), func(s squareapikey.SquareOAuthApplicationSecret) string { return s.Key }, "sq0csp-"),
		of("supabase-key", supabase.NewPATDetector(), func(s supabase.PAT) string { return s.Token }, "sbp_"),
		of("supabase-key", supabase.NewProjectSecretKeyDetector(), func(s supabase.ProjectSecretKey) string { return s.Key }, "sb_secret_"),
		of("telegram-token", telegrambotapitoken.NewDetector(), func(s telegrambotapitoken.TelegramBotAPIToken) string { return s.Token }, "telegram", "Telegram", "TELEGRAM", "tgram"),
		of("vapid-key", vapid.NewDetector(), func(s vapid.Key) string { return s.PrivateB64 }, "vapid", "VAPID", "Vapid"),
	}
}

// vaultToken leaves out the forms of old tokens, s. and b. and r., which words
// of many programming languages have too.
func vaultToken(s hashicorpvault.Token) string {
	if len(s.Token) < 4 || s.Token[:2] != "hv" {
		return ""
	}
	return s.Token
}
