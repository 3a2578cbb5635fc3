package tools

import (
	"context"
	"fmt"
	"strings"

	"kb-mcp/vendors"
)

const createKnowledgeBaseDoc = `Creates an empty knowledge base and returns it with its id. Use it before upload_document when none fits; list_knowledge_bases shows what is there. The platform may change a name that is taken: the answer holds the real one. Never repeat it after an error without looking first.`

const updateKnowledgeBaseDoc = `Changes the name or description of a knowledge base and returns it. What is not given stays. It changes no document.`

const deleteKnowledgeBaseDoc = `Deletes one knowledge base with all its documents, for good. Ask the user before. To remove single documents use delete_documents.`

type createKnowledgeBaseArgs struct {
	Vendor      string  `arg:"vendor"`
	Name        string  `arg:"name" required:"true" max:"200"`
	Description *string `arg:"description" max:"2000"`
}

type updateKnowledgeBaseArgs struct {
	Vendor          string  `arg:"vendor"`
	KnowledgeBaseID string  `arg:"knowledge_base_id" required:"true"`
	Name            *string `arg:"name" max:"200"`
	Description     *string `arg:"description" max:"2000"`
}

type deleteKnowledgeBaseArgs struct {
	Vendor          string `arg:"vendor"`
	KnowledgeBaseID string `arg:"knowledge_base_id" required:"true"`
}

// knowledgeBaseInfo is one knowledge base.
type knowledgeBaseInfo struct {
	KnowledgeBase vendors.KnowledgeBase `json:"knowledge_base"`
}

// createdKnowledgeBase is a new one. Notes say what one should check.
type createdKnowledgeBase struct {
	KnowledgeBase vendors.KnowledgeBase `json:"knowledge_base"`
	Notes         []string              `json:"notes,omitempty"`
}

// deletedKnowledgeBase says what is gone.
type deletedKnowledgeBase struct {
	Vendor          string `json:"vendor"`
	KnowledgeBaseID string `json:"knowledge_base_id"`
	Deleted         bool   `json:"deleted"`
}

func (s *Set) createKnowledgeBase(ctx context.Context, in createKnowledgeBaseArgs) (createdKnowledgeBase, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return createdKnowledgeBase{}, err
	}
	kb, err := v.CreateKnowledgeBase(ctx, vendors.KnowledgeBaseChange{Name: &in.Name, Description: in.Description})
	return createdKnowledgeBase{kb, kb.Notes}, err
}

func (s *Set) updateKnowledgeBase(ctx context.Context, in updateKnowledgeBaseArgs) (knowledgeBaseInfo, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return knowledgeBaseInfo{}, err
	}
	kb, err := v.UpdateKnowledgeBase(ctx, in.KnowledgeBaseID, vendors.KnowledgeBaseChange{Name: in.Name, Description: in.Description})
	return knowledgeBaseInfo{kb}, err
}

func (s *Set) deleteKnowledgeBase(ctx context.Context, in deleteKnowledgeBaseArgs) (deletedKnowledgeBase, error) {
	v, err := s.vendor(in.Vendor)
	if err != nil {
		return deletedKnowledgeBase{}, err
	}
	err = v.DeleteKnowledgeBase(ctx, in.KnowledgeBaseID)
	return deletedKnowledgeBase{Vendor: v.Name(), KnowledgeBaseID: in.KnowledgeBaseID, Deleted: true}, err
}

func (in *createKnowledgeBaseArgs) conflicts() []problem {
	if in.Name == "" { // missing
		return nil
	}
	return blank("name", &in.Name)
}

func (in *updateKnowledgeBaseArgs) conflicts() []problem { return blank("name", in.Name) }

// blank refuses a text that is given and says nothing.
func blank(name string, s *string) []problem {
	if s == nil || strings.TrimSpace(*s) != "" {
		return nil
	}
	return []problem{{arg: name, text: fmt.Sprintf("`%s` holds only spaces", name), hint: "Give a name that people will recognize."}}
}
