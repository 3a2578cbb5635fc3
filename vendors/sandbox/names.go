package sandbox

import (
	"kb-mcp/vendors/sandbox/coze"
	"kb-mcp/vendors/sandbox/dify"
	"kb-mcp/vendors/sandbox/ragflow"
	"kb-mcp/vendors/sandbox/ragflow/preview"
	"kb-mcp/vendors/sandbox/volcengine"
	"kb-mcp/vendors/sandbox/world"
)

// The platforms; see package world.
const (
	Coze       = world.Coze
	Dify       = world.Dify
	RAGFlow    = world.RAGFlow
	Volcengine = world.Volcengine
)

// The credentials that the faces accept; the packages of the faces say what
// each may do.
const (
	CozeToken        = coze.Token
	CozeTokenNoScope = coze.TokenNoScope
	CozeSpaceID      = coze.SpaceID
	CozeClientID     = coze.ClientID
	CozePublicKeyID  = coze.PublicKeyID
	CozeAccountID    = coze.AccountID

	DifyKey = dify.Key

	RAGFlowKey   = ragflow.Key
	RAGFlowToken = preview.Token

	VolcengineAccessKey      = volcengine.AccessKey
	VolcengineSecretKey      = volcengine.SecretKey
	VolcengineSessionToken   = volcengine.SessionToken
	VolcengineAPIKey         = volcengine.APIKey
	VolcengineAPIKeyNoRights = volcengine.APIKeyNoRights
)

// What the store holds; see package world.
type (
	Document      = world.Document
	KnowledgeBase = world.KnowledgeBase
	Plan          = world.Plan
	Stage         = world.Stage
	DifyOptions   = dify.Options
)

// The phases of a document; see package world.
const (
	Queued    = world.Queued
	Completed = world.Completed
	Failed    = world.Failed
	Paused    = world.Paused
	Deleting  = world.Deleting
)

// Normal is [world.Normal].
func Normal() Plan { return world.Normal() }

// Failing is [world.Failing].
func Failing(code, message string) Plan { return world.Failing(code, message) }

// Immediate is [world.Immediate].
func Immediate(outcome world.Phase) Plan { return world.Immediate(outcome) }

// BulkName is [world.BulkName].
func BulkName(platform string) string { return world.BulkName(platform) }
