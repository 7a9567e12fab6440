const A=682,B=[682],K={682:((P,E,_)=>{_.d(E,{fromEnv:()=>D.sF});var D=_(8440),s=_(4323),M=_(3399),O=_(4288),n=_(3580),o=_(5081)})};export{A as id,B as ids,K as modules};
