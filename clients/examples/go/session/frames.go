package session

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	contextv1 "antiphon.example/converse/stubs/antiphon/context/v1"
)

// Message is what a frame holds.
type Message = proto.Message

// Framed is a message in a frame Q of a stream: in that field of its oneof which has the message's type.
func Framed[Q any](message Message) *Q {
	request := new(Q)
	frame, inner := any(request).(proto.Message).ProtoReflect(), message.ProtoReflect()
	fields := frame.Descriptor().Oneofs().Get(0).Fields()
	for at := range fields.Len() {
		if fields.Get(at).Message() == inner.Descriptor() {
			frame.Set(fields.Get(at), protoreflect.ValueOfMessage(inner))
		}
	}
	return request
}

// refresh is the frame Q that has the next token.
func refresh[Q any](token string) *Q {
	request := new(Q)
	frame := any(request).(proto.Message).ProtoReflect()
	inner := frame.Mutable(frame.Descriptor().Fields().ByName("refresh")).Message()
	inner.Set(inner.Descriptor().Fields().ByName("access_token"), protoreflect.ValueOfString(token))
	return request
}

// Unframed is the message in a frame; nil if a newer server says what is not known here.
func Unframed(frame proto.Message) Message {
	reflected := frame.ProtoReflect()
	field := reflected.WhichOneof(reflected.Descriptor().Oneofs().Get(0))
	if field == nil {
		return nil
	}
	return reflected.Get(field).Message().Interface()
}

// TextOf is what a message's parts say.
func TextOf(parts []*contextv1.Part) string {
	var texts []string
	for _, part := range parts {
		texts = append(texts, part.GetText())
	}
	return strings.Join(texts, "\n")
}
