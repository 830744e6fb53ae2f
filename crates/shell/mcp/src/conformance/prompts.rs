//! Prompts.

use rmcp::{
    ErrorData,
    model::{
        ContentBlock, GetPromptRequestParams, GetPromptResponse, GetPromptResult, ImageContent,
        InputRequests, InputRequiredResult, Prompt, PromptArgument, PromptMessage, Role,
    },
};
use serde_json::Value;

use super::{
    PNG,
    rounds::{answered, question, said},
    unknown,
};

pub(crate) fn list() -> Vec<Prompt> {
    let wanted =
        |name: &str| PromptArgument::new(name).with_description("Any text").with_required(true);
    let plain = |name: &str| Prompt::new(name, Some(DESCRIPTION), None);
    vec![
        plain("test_simple_prompt"),
        plain("test_prompt_with_embedded_resource"),
        plain("test_prompt_with_image"),
        plain("test_input_required_result_prompt"),
        Prompt::new(
            "test_prompt_with_arguments",
            Some(DESCRIPTION),
            Some(vec![wanted("arg1"), wanted("arg2")]),
        ),
    ]
}

pub(crate) fn get(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let given = |key: &str| {
        let value = request.arguments.as_ref().and_then(|arguments| arguments.get(key));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let say = |text: String| PromptMessage::new_text(Role::User, text);
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![say("This is a simple prompt for testing.".to_owned())],
        "test_prompt_with_arguments" => {
            let [first, second] = ["arg1", "arg2"].map(|key| given(key).unwrap_or_default());
            vec![say(format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))]
        }
        "test_prompt_with_embedded_resource" => {
            let uri = given("resourceUri").unwrap_or_else(|| "test://static-text".to_owned());
            let body = Some("Embedded resource content for testing.".to_owned());
            let kind = Some("text/plain".to_owned());
            vec![
                PromptMessage::new_resource(Role::User, uri, kind, body, None, None, None),
                say("Please process the embedded resource above.".to_owned()),
            ]
        }
        "test_prompt_with_image" => vec![
            PromptMessage::new(
                Role::User,
                ContentBlock::Image(ImageContent::new(PNG, "image/png")),
            ),
            say("Please analyze the image above.".to_owned()),
        ],
        "test_input_required_result_prompt" => {
            match answered(request.input_responses.as_ref(), "user_context") {
                Some(given) => {
                    vec![say(format!("The context: {}", said(&given["content"]["context"])))]
                }
                None => {
                    let wanted = question("What is the context?", "context", "string");
                    let wanted = InputRequests::from([("user_context".to_owned(), wanted)]);
                    return Ok(InputRequiredResult::from_input_requests(wanted).into());
                }
            }
        }
        other => return Err(unknown(other)),
    };
    Ok(GetPromptResult::new(messages).into())
}

const DESCRIPTION: &str = "A fixture of the conformance suite.";
